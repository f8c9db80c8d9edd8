"""A client's filter of a stream."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct

from api.query_parameters import StreamQuery
from topics.codec import encode_one
from topics.records import Prediction


@dataclass(frozen=True)
class Selection:
    """Fields with the requested values. Of a prediction only the forecasts of the requested horizons are sent."""

    fields: Mapping[str, Collection[Any]]
    horizons: Collection[int] = ()

    @classmethod
    def of(cls, asked: StreamQuery, record: type[Struct]) -> "Selection":
        """Return the filter for records of that type."""
        filters: dict[str, Any] = asked.model_dump(exclude={"last_id"})
        role = filters.pop("role", "any")
        fields = {name: frozenset(values) for name, values in filters.items() if values}
        if role != "any":
            fields["role"] = frozenset((role,))
        horizons = fields.pop("horizon", frozenset()) if record is Prediction else frozenset()
        return cls(fields, horizons)

    def take(self, record: Struct, encoded: bytes) -> bytes | None:
        """Return the bytes to send of a record, None if it does not match."""
        for name, wanted in self.fields.items():
            if getattr(record, name) not in wanted:
                return None
        if not self.horizons or not isinstance(record, Prediction):
            return encoded
        forecasts = [forecast for forecast in record.forecasts if forecast.horizon in self.horizons]
        return encode_one(msgspec.structs.replace(record, forecasts=forecasts)) if forecasts else None

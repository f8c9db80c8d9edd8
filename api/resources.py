"""The tables: row, parameters, and the key by which the pages are ordered.

A table's query, in queries.sql by the same name, gives the columns of the key first, then those of the row.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from api import rows
from api.cursor import Key, Number, Text, Time
from api.query_parameters import SHOWN_BUCKETS, SkillQuery, TableQuery
from topics.limits import END_OF_TIME
from topics.units import interval_ms

FIRST_TIME, LAST_TIME = datetime.min.replace(tzinfo=UTC), datetime.fromtimestamp(END_OF_TIME / 1000, UTC)


@dataclass(frozen=True)
class Resource:
    """A table. `key` has the type of each column of the key; a leading `Time` bounds what a page reads."""

    name: str
    row: type[BaseModel]
    key: tuple[Any, ...]

    def start(self, descending: bool) -> Key:
        """Return a key before every row's."""
        first: dict[Any, int | str] = {Time: -1, Number: -1, Text: ""}
        after_all: dict[Any, int | str] = {Time: END_OF_TIME, Number: 2**31 - 1, Text: ""}
        return tuple((after_all if descending else first)[kind] for kind in self.key)

    def parameters(self, asked: TableQuery, after: Key | None, descending: bool) -> dict[str, Any]:
        """Return the query's parameters: the filters, the bounds in time, and the key after which to continue."""
        values = asked.filters()
        key = self.start(descending) if after is None else after
        if self.key[0] is Time:
            start, end = values["start"], values["end"]
            low = 0 if start is None else start
            high = END_OF_TIME if end is None else end - 1  # inclusive: times are whole milliseconds
            if after is not None:
                low, high = (low, min(high, int(after[0]))) if descending else (max(low, int(after[0])), high)
            values |= {"start": timestamp(low), "end": timestamp(high)}
        if isinstance(asked, SkillQuery):
            values |= windows(asked)
        return values | {f"after_{place}": value for place, value in enumerate(key)} | {"rows": asked.limit + 1}


def windows(asked: SkillQuery) -> dict[str, Any]:
    """Return the lengths of the buckets and windows of rolling scores."""
    step = timedelta(milliseconds=interval_ms(asked.interval))
    bucket = asked.bucket * step
    shown = SHOWN_BUCKETS * bucket if asked.start is None else timedelta(0)
    return {"step": step, "bucket": bucket, "rolling": (asked.window - 1) * bucket, "shown": shown}


def timestamp(milliseconds: int) -> datetime:
    """Return a time in the database's type."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


SYMBOLS = Resource("symbols", rows.SymbolRow, (Text, Text))
BARS = Resource("bars", rows.BarRow, (Time,))
FEATURES = Resource("features", rows.FeatureRow, (Time,))
LATEST = Resource("latest", rows.PredictionRow, (Text, Text, Text, Number))
PREDICTIONS = Resource("predictions", rows.PredictionRow, (Time, Number))
OUTCOMES = Resource("outcomes", rows.OutcomeRow, (Time, Number))
SKILL = Resource("skill", rows.SkillRow, (Time, Text, Number))
REGIMES = Resource("regimes", rows.RegimeRow, (Time,))
MODELS = Resource("models", rows.ModelRow, (Text,))
DRIFT = Resource("drift", rows.DriftRow, (Time, Text, Text, Text, Text, Text, Text, Number))
ALERTS = Resource("alerts", rows.AlertRow, (Time, Text))
GAPS = Resource("gaps", rows.GapRow, (Time, Text, Text))

RESOURCES = (SYMBOLS, BARS, FEATURES, LATEST, PREDICTIONS, OUTCOMES, SKILL, REGIMES, MODELS, DRIFT, ALERTS, GAPS)

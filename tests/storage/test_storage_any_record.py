"""Whatever records the definitions allow, the tables hold exactly them."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import Struct, inspect
from storage_rows import Records, Row, empty, stored, write

from storage.binary_copy import storable
from topics.catalog import ALERTS, DEAD_LETTERS, DRIFT, GAPS, MODEL_EVENTS, OUTCOMES, PREDICTIONS, STORED, TICKS, Topic
from topics.records import QUANTILES, Bar, Prediction, Tick

pytestmark = pytest.mark.services

IDENTITY = {
    TICKS: ("symbol", "time", "identity"),
    GAPS: ("symbol", "venue", "start"),
    PREDICTIONS: ("symbol", "interval", "time", "model", "version", "horizon"),
    OUTCOMES: ("symbol", "interval", "time", "model", "version", "horizon"),
    ALERTS: ("alert_id", "time"),
    MODEL_EVENTS: ("model", "version", "event", "time", "number", "symbol", "interval"),
    DRIFT: ("model", "version", "kind", "detector", "time", "interval", "symbol", "horizon"),
    DEAD_LETTERS: ("topic", "partition", "offset", "row"),
}


# Few values, so that records meet; few months, so that chunks stay few.
TIMES = st.sampled_from([0, 1_600_041_600_000, 1_600_128_000_000, 9_999_936_000_000])
POSITIVE = st.floats(1e-12, 1e12)
VOLUME = st.none() | st.just(0.0) | st.floats(1e-18, 1e24)
BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("price", "amount", "open", "high", "low", "close"), POSITIVE),
    **dict.fromkeys(("volume", "buy_volume", "quote_volume"), VOLUME),
    "scale": st.none() | st.floats(1e-12, 1e3),
    "time": TIMES,
    "target_time": TIMES,
    "since": st.none() | TIMES,
    "start": TIMES,
    "end": TIMES,
    "interval": st.sampled_from(["1m", "1d", "tick-500", "volume-0.5"]),
    "symbol": st.sampled_from(["BTCUSDT", "A", "'; DROP TABLE bars; --", 'x"\\\t\n%s{}$1']),
    "quantiles": st.none() | st.lists(st.floats(-100, 100), min_size=7, max_size=7).map(sorted),
    "weights": st.none() | st.dictionaries(st.text(max_size=8), st.floats(0, 4), max_size=3),
}


def of_type(kind: inspect.Type) -> st.SearchStrategy[Any]:  # noqa: PLR0911, PLR0912 - a table, a line a type
    match kind:
        case inspect.Metadata():
            return of_type(kind.type)
        case inspect.StrType():
            return st.text(max_size=8) | st.sampled_from(["naive", "v1", "f" * (kind.max_length or 5_000)])
        case inspect.IntType():
            return st.integers(kind.ge or 0, kind.le or 2**31 - 1) | st.just(kind.ge or 0)
        case inspect.FloatType(ge=None):
            return st.floats()
        case inspect.FloatType():
            return st.floats(kind.ge, kind.le)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.BytesType():
            return st.binary(max_size=20)
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.UnionType():
            return st.one_of([of_type(part) for part in kind.types])
        case inspect.ListType():
            return st.lists(of_type(kind.item_type), max_size=5)
        case inspect.DictType():
            return st.dictionaries(of_type(kind.key_type), of_type(kind.value_type), max_size=3)
        case inspect.StructType():
            return of_record(kind.cls)
    raise AssertionError(f"no strategy for {kind}")


def of_record(record: type[Struct]) -> st.SearchStrategy[Any]:
    info = inspect.type_info(record)
    assert isinstance(info, inspect.StructType)
    fields = {
        field.name: BY_NAME[field.name] if field.name in BY_NAME else of_type(field.type) for field in info.fields
    }
    return (
        st.fixed_dictionaries(fields).map(lambda values: possible(record, values)).filter(lambda made: made is not None)
    )


def possible(record: type[Struct], values: dict[str, Any]) -> Struct | None:
    """The record, with prices put in order; None if it cannot be."""
    if record is Bar:
        low, *middle, high = sorted(values[name] for name in ("open", "high", "low", "close"))
        values |= dict(zip(("low", "open", "close", "high"), (low, *middle, high), strict=True))
    try:
        return record(**values)
    except ValueError:
        return None


batches = st.fixed_dictionaries({topic: st.lists(of_record(topic.record), max_size=4) for topic in STORED})


def expected(topic: Topic, records: Sequence[Struct], origins: Sequence[str]) -> list[Row]:
    """The rows that must be there after these records, of which the last of one identity counts."""
    rows: dict[Row, Row] = {}
    for place, record in enumerate(records):
        for values in rows_of(record, origins[place] if topic is TICKS else ""):
            names = IDENTITY.get(topic, ("symbol", "interval", "time"))
            rows[tuple(values[name] for name in names)] = tuple(values.values())
    return list(rows.values())


def rows_of(record: Struct, origin: str) -> list[dict[str, Any]]:
    values = {name: as_stored(name, value) for name, value in msgspec.structs.asdict(record).items()}
    if isinstance(record, Tick):
        identity = origin if record.trade_id is None else f"{record.venue or ''}:{record.trade_id}"
        values["identity"] = storable(identity)
    values.pop("naive_pinball", None)  # no column: the view `scores` has it from the naive model's own row
    if not isinstance(record, Prediction):
        return [values]
    common = {name: values[name] for name in ("symbol", "interval", "time", "model", "version")}
    origin_of = {name: values[name] for name in ("fingerprint", "regime", "price")}
    return [
        common
        | {"horizon": forecast.horizon}
        | origin_of
        | {"mean": number(forecast.mean), "scale": number(forecast.scale)}
        | dict(zip(map(str, QUANTILES), map(number, forecast.quantiles or [None] * len(QUANTILES)), strict=True))
        | {"p_up": number(forecast.p_up), "weights": as_stored("weights", forecast.weights)}
        | {name: values[name] for name in ("role", "dissimilarity", "expired")}
        for forecast in record.forecasts
    ]


def number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def as_stored(name: str, value: Any) -> Any:
    if (name.endswith("time") or name in ("since", "start", "end")) and value is not None:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)
    match value:
        case float():
            return number(value)
        case str():
            return storable(value)
        case list():
            return [as_stored("", part) for part in value]
        case dict():
            return {storable(key): part for key, part in value.items()}
    return value


def in_order(rows: Sequence[Row]) -> list[str]:
    """The rows as text, in an order of their own; repr tells every two floats apart."""
    return sorted(repr([sorted(part.items()) if isinstance(part, dict) else part for part in row]) for row in rows)


# Not shrunk: each try is a dozen transactions.
@settings(deadline=None, max_examples=20, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(batch=batches)
def test_any_records_are_stored_exactly(database: str, batch: Records) -> None:
    empty(database)
    origins = [f"0-{place}-0" for place in range(len(batch[TICKS]))]
    write(database, batch, origins=origins)
    for topic in STORED:
        assert in_order(stored(database, topic)) == in_order(expected(topic, batch[topic], origins)), topic.name

"""The storage of each record: its table, its columns in PostgreSQL's types, and its primary key."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter
from typing import Any, Self

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from storage.binary_copy import (
    Column,
    boolean,
    bytea,
    char,
    float8,
    float8_array,
    int4,
    int8,
    nulls,
    rows,
    storable,
    text,
    timestamptz,
)
from storage.scores import Outcomes, Sums, sums
from storage.surrogate_keys import Key
from topics.catalog import ALERTS, BARS, DEAD_LETTERS, DRIFT, FEATURES, GAPS, MODEL_EVENTS, REGIMES, Topic
from topics.records import QUANTILES, Features, Forecast, Outcome, Prediction, Tick

Kind = Callable[[Sequence[Any]], Column]
_encoder = msgspec.msgpack.Encoder()


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of one table as the body of a binary COPY; `key` is the table's primary key.

    `scores` are the sums of the scores in rows of outcomes.
    """

    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    body: bytes
    scores: Sums | None = None

    @classmethod
    def of(cls, table: str, key: tuple[str, ...], columns: Mapping[str, Column]) -> Self:
        """Return the rows of columns of one length."""
        return cls(table=table, key=key, columns=tuple(columns), body=rows(list(columns.values())))


def jsonb(values: Sequence[Mapping[str, float] | None]) -> Column:
    """Return a jsonb column; its binary form is a version byte and the text. None is NULL."""
    texts = [b"" if value is None else b"\x01" + msgspec.json.encode(value) for value in values]
    if any(b"\\u0000" in part for part in texts):
        return jsonb([value if value is None else {storable(name): value[name] for name in value} for value in values])
    return bytea([part or None for part in texts])


_BAR: dict[str, Kind] = {"symbol": text, "interval": text, "time": timestamptz}
_ORIGIN: dict[str, Kind] = {"topic": text, "partition": int8, "offset": int8}
_MARKET: dict[str, Kind] = {"symbol": text, "venue": text}
_ALERT: dict[str, Kind] = {
    "alert_id": text,
    "rule": text,
    "symbol": text,
    "time": timestamptz,
    "severity": text,
    "message": text,
}
_VERSION: dict[str, Kind] = {"model": text, "version": text}
# In the order of the record's fields.
_PLAIN: dict[Topic, tuple[str, tuple[str, ...], dict[str, Kind]]] = {
    BARS: (
        "bars",
        ("symbol", "interval", "time"),
        _BAR
        | {"open": float8, "high": float8, "low": float8, "close": float8, "volume": float8}
        | {"trades": int8, "buy_volume": float8, "quote_volume": float8, "gap": int8}
        | {"buy_trades": int8, "market_return": float8, "market_rank": float8, "lead_return": float8}
        | {"suspect": text},
    ),
    GAPS: (
        "gaps",
        ("symbol", "venue", "start"),
        _MARKET
        | {"start": timestamptz, "end": timestamptz, "reason": text, "trades": int8}
        | {"after_id": text, "before_id": text, "reader": text, "topic": text, "partition": int8}
        | {"first_offset": int8, "last_offset": int8},
    ),
    FEATURES: (
        "features",
        ("symbol", "interval", "time"),
        _BAR | {"close": float8, "fingerprint": text, "values": float8_array},
    ),
    REGIMES: (
        "regimes",
        ("symbol", "interval", "time"),
        _BAR | {"state": text, "posterior": jsonb, "change_point": float8},
    ),
    ALERTS: (
        "alerts",
        ("alert_id", "time"),
        _ALERT
        | {"rule_version": int8, "model": text, "interval": text, "horizon": int8, "value": float8, "suppressed": int8},
    ),
    MODEL_EVENTS: (
        "model_events",
        ("model", "version", "event", "time", "number", "symbol", "interval"),
        _VERSION
        | {"event": text, "fingerprint": text, "time": timestamptz, "number": int8}
        | {"role": text, "symbol": text, "interval": text, "reason": text},
    ),
    DRIFT: (
        "drift",
        ("model", "version", "kind", "detector", "time", "interval", "symbol", "horizon"),
        _VERSION
        | {"kind": text, "detector": text, "time": timestamptz}
        | {"statistic": float8, "limit": float8, "interval": text, "symbol": text, "horizon": int8}
        | {"since": timestamptz, "detail": text},
    ),
    DEAD_LETTERS: (
        "dead_letters",
        ("topic", "partition", "offset", "row"),
        _ORIGIN | {"reason": text, "value": bytea, "time": timestamptz, "key": bytea, "row": int8, "size": int8},
    ),
}


MATRIX_BYTES = 1 << 25


def plain(topic: Topic, records: Sequence[Struct]) -> Rows:
    """Return the rows of a record whose fields are the columns."""
    table, key, kinds = _PLAIN[topic]
    body = b"".join(rows(_columns(kinds, part)) for part in _alike(records))
    return Rows(table=table, key=key, columns=tuple(kinds), body=body)


def _columns(kinds: Mapping[str, Kind], records: Sequence[Struct]) -> list[Column]:
    values = zip(*map(msgspec.structs.astuple, records), strict=True)
    return [kind(column) for kind, column in zip(kinds.values(), values, strict=True)]


def _alike(records: Sequence[Struct]) -> Iterator[Sequence[Struct]]:
    """Yield the records in parts that fit in memory with every row at its widest: one dead letter can be megabytes."""
    widest = max(map(_size, records))
    if len(records) == 1 or len(records) * widest <= MATRIX_BYTES:
        yield records
    else:
        half = len(records) // 2
        yield from _alike(records[:half])
        yield from _alike(records[half:])


def _size(record: Struct) -> int:
    """Return about how many bytes a row takes."""
    return 12 * len(record.values) if isinstance(record, Features) else len(_encoder.encode(record))


def ticks(records: Sequence[Tick], origins: Sequence[str]) -> Rows:
    """Return the rows of ticks; one without a trade_id is known by its origin, such as ``3-1042-0``."""
    symbols, times, prices, amounts, sides, ids, venues, repaired = zip(
        *map(msgspec.structs.astuple, records), strict=True
    )
    identity = [
        origin if trade_id is None else f"{venue or ''}:{trade_id}"
        for origin, trade_id, venue in zip(origins, ids, venues, strict=True)
    ]
    columns = {
        "symbol": text(symbols),
        "time": timestamptz(times),
        "identity": text(identity),
        "price": float8(prices),
        "amount": float8(amounts),
        "side": text(sides),
        "trade_id": text(ids),
        "venue": text(venues),
        "repaired": boolean(repaired),
    }
    return Rows.of("ticks", ("symbol", "time", "identity"), columns)


UNKNOWN = [float("nan")] * len(QUANTILES)
QUANTILE_COLUMNS = tuple(f"q{round(level * 100):02d}" for level in QUANTILES)


def series_of_predictions(records: Sequence[Prediction]) -> list[Key]:
    """Return the series of each horizon of each prediction."""
    return [(p.symbol, p.interval, p.model, p.version, f.horizon) for p in records for f in p.forecasts]


def predictions(records: Sequence[Prediction], series: Sequence[int], contexts: Sequence[int]) -> Rows:
    """Return one row per horizon; `series` has a number per horizon, `contexts` one per prediction."""
    forecasts: list[Forecast] = [forecast for prediction in records for forecast in prediction.forecasts]
    sizes = [len(prediction.forecasts) for prediction in records]
    levels = chain.from_iterable([forecast.quantiles or UNKNOWN for forecast in forecasts])
    quantiles = np.fromiter(levels, np.float64).reshape(-1, len(QUANTILES))
    columns = {
        "time": timestamptz(np.repeat([prediction.time for prediction in records], sizes)),
        "series_id": int4(series),
        "context_id": int4(np.repeat(contexts, sizes)),
        "price": float8(np.repeat([prediction.price for prediction in records], sizes)),
        "mean": float8([forecast.mean for forecast in forecasts]),
        "scale": float8([forecast.scale for forecast in forecasts]),
        **{name: float8(column) for name, column in zip(QUANTILE_COLUMNS, quantiles.T, strict=True)},
        "p_up": float8([forecast.p_up for forecast in forecasts]),
        "dissimilarity": float8(_repeated([prediction.dissimilarity for prediction in records], sizes)),
    }
    body = _with_weights(columns, [forecast.weights for forecast in forecasts], np.array(series))
    return Rows(table="prediction_rows", key=("series_id", "time"), columns=(*columns, "weights"), body=body)


def _with_weights(
    columns: Mapping[str, Column], weights: Sequence[Mapping[str, float] | None], series: npt.NDArray[np.int64]
) -> bytes:
    """Return the body with a column of weights, which few rows have.

    Rows with and without are laid out apart, so that the many need no room for what the few have, as long as no series
    has both: which of two rows of one key is the last must not change.
    """
    given = np.array([value is not None for value in weights])
    if not given.any():
        return rows([*columns.values(), nulls(len(weights))])
    if given.all() or np.isin(series[given], series[~given]).any():
        return rows([*columns.values(), jsonb(weights)])
    many, few = ([column[chosen] for column in columns.values()] for chosen in (~given, given))
    reporter = jsonb([value for value in weights if value is not None])
    return rows([*many, nulls(len(weights) - len(reporter.lengths))]) + rows([*few, reporter])


def _repeated(values: Sequence[float | None], sizes: Sequence[int]) -> npt.NDArray[np.float64]:
    return np.repeat(np.array([np.nan if value is None else value for value in values], dtype=np.float64), sizes)


_key_of_outcome = attrgetter("symbol", "interval", "model", "version", "horizon")


def series_of_outcomes(records: Sequence[Outcome]) -> list[Key]:
    """Return the series of each outcome."""
    return list(map(_key_of_outcome, records))


ROLE = {"champion": b"c", "challenger": b"h", "standby": b"s"}
STATUS = {"scored": b"s", "stale": b"t", "unscored": b"u"}
_values_of_outcome = attrgetter(
    "time",
    "target_time",
    "status",
    "realised",
    "absolute_error",
    "naive_absolute_error",
    "pinball",
    "interval_hit",
    "direction_hit",
    "role",
)


def outcomes(records: Sequence[Outcome], series: Sequence[int]) -> Rows:
    """Return the rows of outcomes; `series` has a number per outcome."""
    times, targets, statuses, *scores, roles = zip(*map(_values_of_outcome, records), strict=True)
    realised, error, naive, pinball, interval_hit, direction_hit = (
        np.array(column, dtype=np.float64) for column in scores
    )
    status, role = [STATUS[one] for one in statuses], [ROLE[one] for one in roles]
    columns = {
        "time": timestamptz(times),
        "target_time": timestamptz(targets),
        "series_id": int4(series),
        "status": char(status),
        "realised": float8(realised),
        "absolute_error": float8(error),
        "naive_absolute_error": float8(naive),
        "pinball": float8(pinball),
        "interval_hit": boolean(interval_hit),
        "direction_hit": boolean(direction_hit),
        "role": char(role),
    }
    scored = Outcomes(
        series=np.array(series, dtype=np.int64),
        times=np.array(times, dtype=np.int64),
        statuses=np.frombuffer(b"".join(status), dtype=np.uint8),
        roles=np.frombuffer(b"".join(role), dtype=np.uint8),
        pinball=pinball,
        error=error,
        naive_error=naive,
        interval_hit=interval_hit,
        direction_hit=direction_hit,
        key=lambda row: _key_of_outcome(records[row]),
    )
    return replace(Rows.of("outcome_rows", ("series_id", "time"), columns), scores=sums(scored))

"""Converts cleaned columns to records, split into frames for Kafka."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from sources.reading.parse import SIDES
from sources.tables.columns import Array, Columns, SeriesKey, size, take
from sources.tables.layout import PRICES
from topics.records import Bar, Tick


@dataclass(frozen=True)
class SeriesBatch:
    """Rows of one series (its number) that go on the wire together; `last` counts the series' rows up to its last."""

    series: int
    rows: Columns
    last: int


def cut(parts: Mapping[int, Columns], counts: Mapping[int, int], rows: int) -> Iterator[SeriesBatch]:
    """Cut the columns of several series into frames of at most `rows`, and yield them by the time of their first row.

    So the series go forward together. `counts` says how many rows of each series there were before.
    """
    places = [
        (int(columns["time"][at]), series, at)
        for series, columns in parts.items()
        for at in range(0, size(columns), rows)
    ]
    for _, series, at in sorted(places):
        piece = take(parts[series], slice(at, at + rows))
        yield SeriesBatch(series, piece, counts[series] + at + size(piece))


def records(series: SeriesKey, rows: Columns) -> list[Bar] | list[Tick]:
    """Return the rows as records."""
    return _bars(series.symbol, series.interval or "", rows) if series.kind == "bar" else _ticks(series.symbol, rows)


def _bars(symbol: str, interval: str, rows: Columns) -> list[Bar]:
    return list(
        map(
            Bar,
            repeat(symbol),
            repeat(interval),
            rows["time"].tolist(),
            *(rows[name].tolist() for name in PRICES),
            _known(rows["volume"]),
            _known(rows["trades"], whole=True),
            _known(rows["buy_volume"]),
            _known(rows["quote_volume"]),
            rows["gap"].tolist(),
            *repeat(repeat(None), 4),
            rows["suspect"].tolist() if "suspect" in rows else repeat(None),
        )
    )


def _ticks(symbol: str, rows: Columns) -> list[Tick]:
    sides = [SIDES[number] for number in rows["side"].tolist()]
    columns = (rows[name].tolist() for name in ("time", "price", "amount"))
    return list(map(Tick, repeat(symbol), *columns, sides, rows["trade_id"].tolist()))


def _known(values: Array, *, whole: bool = False) -> list[float | int | None]:
    """Return the numbers, with None for NaN."""
    unknown = np.isnan(values)
    numbers = np.where(unknown, 0, values).astype(np.int64 if whole else np.float64).tolist()
    if not unknown.any():
        return list(numbers)
    return [None if missing else number for number, missing in zip(numbers, unknown.tolist(), strict=True)]

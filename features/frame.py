"""Columns of one symbol in time order: what the compiled folds take and give."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Self

import numpy as np
import numpy.typing as npt

from topics.records import Bar, Features

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BAR_COLUMNS = (
    "open",
    "high",
    "low",
    "close",
    "volume",
    "trades",
    "buy_volume",
    "buy_trades",
    "quote_volume",
    "market_return",
    "market_rank",
)
"""The numbers of a bar, NaN where unknown."""
_numbers = attrgetter(*BAR_COLUMNS)


@dataclass(frozen=True)
class BarFrame:
    """Bars of one symbol and interval, strictly increasing in `time` (epoch ms): each column is [n]; unknown is NaN."""

    symbol: str
    interval: str
    time: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    trades: Floats
    buy_volume: Floats
    buy_trades: Floats
    quote_volume: Floats
    market_return: Floats
    market_rank: Floats
    gap: Ints

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def build(cls, symbol: str, interval: str, time: Ints, gap: Ints | None = None, **columns: Floats) -> Self:
        """Return a frame of these columns; one that is not given is unknown, and gaps that are not given are none."""
        known = {name: columns.get(name) for name in BAR_COLUMNS}
        filled = {name: np.full(len(time), np.nan) if column is None else column for name, column in known.items()}
        return cls(symbol, interval, time, gap=np.zeros(len(time), dtype=np.int64) if gap is None else gap, **filled)

    @classmethod
    def of(cls, bars: Sequence[Bar]) -> Self:
        """Return the columns of at least one bar of one symbol and interval."""
        columns = np.array([_numbers(bar) for bar in bars], dtype=np.float64).T.copy()  # None becomes NaN
        return cls(
            symbol=bars[0].symbol,
            interval=bars[0].interval,
            time=np.array([bar.time for bar in bars], dtype=np.int64),
            gap=np.array([bar.gap for bar in bars], dtype=np.int64),
            **dict(zip(BAR_COLUMNS, columns, strict=True)),
        )

    def after(self, time: int) -> Self:
        """Return the rows later than `time`."""
        return self[int(np.searchsorted(self.time, time, side="right")) :]

    def __getitem__(self, rows: slice | npt.NDArray[np.bool_]) -> Self:
        columns = [field.name for field in fields(self)[2:]]
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})


@dataclass(frozen=True)
class FeatureFrame:
    """Indicators of one symbol: `time` and `close` [n], `values` [n, F] in the definition's order; unknown is NaN."""

    symbol: str
    interval: str
    fingerprint: str
    time: Ints
    close: Floats
    values: Floats

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def of(cls, records: Sequence[Features]) -> Self:
        """Return the columns of at least one record of one symbol, interval and fingerprint."""
        first = records[0]
        return cls(
            first.symbol,
            first.interval,
            first.fingerprint,
            np.array([record.time for record in records], dtype=np.int64),
            np.array([record.close for record in records], dtype=np.float64),
            np.array([record.values for record in records], dtype=np.float64),
        )

    def records(self) -> list[Features]:
        """Return the rows as records."""
        rows = zip(self.time.tolist(), self.close.tolist(), self.values.tolist(), strict=True)
        return [Features(self.symbol, self.interval, time, close, self.fingerprint, row) for time, close, row in rows]

    def after(self, time: int) -> Self:
        """Return the rows later than `time`."""
        return self[int(np.searchsorted(self.time, time, side="right")) :]

    def __getitem__(self, rows: slice) -> Self:
        return replace(self, time=self.time[rows], close=self.close[rows], values=self.values[rows])

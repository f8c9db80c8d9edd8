"""Columns of one symbol in time order: what the compiled folds take and give."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from topics.records import Bar, Features

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def _column(bars: Sequence[Bar], name: str) -> Floats:
    values = [getattr(bar, name) for bar in bars]
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


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
    quote_volume: Floats
    gap: Ints

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def of(cls, bars: Sequence[Bar]) -> Self:
        """Return the columns of at least one bar of one symbol and interval."""
        return cls(
            symbol=bars[0].symbol,
            interval=bars[0].interval,
            time=np.array([bar.time for bar in bars], dtype=np.int64),
            open=_column(bars, "open"),
            high=_column(bars, "high"),
            low=_column(bars, "low"),
            close=_column(bars, "close"),
            volume=_column(bars, "volume"),
            trades=_column(bars, "trades"),
            buy_volume=_column(bars, "buy_volume"),
            quote_volume=_column(bars, "quote_volume"),
            gap=np.array([bar.gap for bar in bars], dtype=np.int64),
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

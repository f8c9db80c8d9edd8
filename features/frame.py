"""Columns of one symbol in time order: input and output of the compiled folds."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from topics.records import Bar, Features

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ROWS = (
    "open",
    "high",
    "low",
    "close",
    "volume",
    "trades",
    "buy_volume",
    "buy_trades",
    "market_return",
    "market_rank",
    "lead_return",
    "time",
    "quote_volume",
)
"""The rows of a bar frame in memory: those up to the time are the input of the features' fold."""
BAR_COLUMNS = tuple(name for name in ROWS if name != "time")
"""The numbers of a bar, NaN if unknown."""
_TIME = ROWS.index("time")
_numbers = attrgetter(*ROWS, "gap")


def _row(name: str) -> Any:
    row = ROWS.index(name)
    return property(lambda frame: frame.numbers[row])


class BarFrame(Struct, frozen=True, eq=False, kw_only=True):
    """Bars of one symbol and interval, strictly increasing in `time` (epoch ms): each column is [n]; unknown is NaN.

    `numbers` [ROWS, n] are the columns and, as a number, the time.
    """

    symbol: str
    interval: str
    time: Ints
    gap: Ints
    numbers: Floats

    open: ClassVar[Floats] = _row("open")
    high: ClassVar[Floats] = _row("high")
    low: ClassVar[Floats] = _row("low")
    close: ClassVar[Floats] = _row("close")
    volume: ClassVar[Floats] = _row("volume")
    trades: ClassVar[Floats] = _row("trades")
    buy_volume: ClassVar[Floats] = _row("buy_volume")
    buy_trades: ClassVar[Floats] = _row("buy_trades")
    quote_volume: ClassVar[Floats] = _row("quote_volume")
    market_return: ClassVar[Floats] = _row("market_return")
    market_rank: ClassVar[Floats] = _row("market_rank")
    lead_return: ClassVar[Floats] = _row("lead_return")

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def build(cls, symbol: str, interval: str, time: Ints, gap: Ints | None = None, **columns: Floats) -> Self:
        """Return a frame of these columns; a missing column is unknown, and missing gaps are 0."""
        numbers = np.full((len(ROWS), len(time)), np.nan)
        for name, values in {**columns, "time": time}.items():
            numbers[ROWS.index(name)] = values
        return cls(
            symbol=symbol,
            interval=interval,
            time=time,
            gap=np.zeros(len(time), dtype=np.int64) if gap is None else gap,
            numbers=numbers,
        )

    @classmethod
    def of(cls, bars: Sequence[Bar]) -> Self:
        """Return the columns of at least one bar of one symbol and interval."""
        numbers = np.ascontiguousarray(np.array([_numbers(bar) for bar in bars], dtype=np.float64).T)  # None: NaN
        time, gap = numbers[_TIME].astype(np.int64), numbers[-1].astype(np.int64)
        return cls(symbol=bars[0].symbol, interval=bars[0].interval, time=time, gap=gap, numbers=numbers[:-1])

    def with_columns(self, **columns: Floats) -> Self:
        """Return the same bars with other numbers in those columns."""
        numbers = self.numbers.copy()
        for name, values in columns.items():
            numbers[ROWS.index(name)] = values
        return replace(self, numbers=numbers)

    def after(self, time: int) -> Self:
        """Return the rows later than `time`."""
        return self[int(np.searchsorted(self.time, time, side="right")) :]

    def __getitem__(self, rows: slice | npt.NDArray[np.bool_]) -> Self:
        return replace(self, time=self.time[rows], gap=self.gap[rows], numbers=self.numbers[:, rows])


class FeatureFrame(Struct, frozen=True, eq=False, kw_only=True):
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
            symbol=first.symbol,
            interval=first.interval,
            fingerprint=first.fingerprint,
            time=np.array([record.time for record in records], dtype=np.int64),
            close=np.array([record.close for record in records], dtype=np.float64),
            values=np.array([record.values for record in records], dtype=np.float64),
        )

    def records(self) -> list[Features]:
        """Return the rows as records."""
        rows = zip(self.time.tolist(), self.close.tolist(), self.values.tolist(), strict=True)
        return [
            Features(
                symbol=self.symbol,
                interval=self.interval,
                time=time,
                close=close,
                fingerprint=self.fingerprint,
                values=row,
            )
            for time, close, row in rows
        ]

    def after(self, time: int) -> Self:
        """Return the rows later than `time`."""
        return self[int(np.searchsorted(self.time, time, side="right")) :]

    def __getitem__(self, rows: slice) -> Self:
        return replace(self, time=self.time[rows], close=self.close[rows], values=self.values[rows])

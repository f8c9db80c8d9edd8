"""Detects files of different markets with the same symbol before anything is sent, by their first rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from sources.errors import SourceError
from sources.formats.plain import SIDE_OF_PRICES
from sources.formats.trades import of_contracts
from sources.reading.datafile import DataFile
from sources.reading.parse import Chunk, times
from sources.tables.cells import number
from sources.tables.layout import Kind
from sources.times.timestamps import UNREADABLE
from topics.units import interval_ms

ENOUGH = 5
"""Bars of one time in two files that tell whether they are the same."""
MOST = 0.5
"""The share of them that may differ: a poller's file repeats bars that were open."""
_LOOKED = 50
"""Files of one series that are compared with each other."""
_TOGETHER_MS = 1_000
"""For how long two files must have trades at once for their ids to tell: a day's file ends when the next begins."""


def check_distinct(files: Sequence[DataFile]) -> None:
    """Raise SourceError if two files of one symbol have other bars or other trades of the same time."""
    by_series = defaultdict(list)
    for file in files:
        for symbol in file.symbols:
            by_series[symbol, file.layout.kind, file.interval].append(file)
    for (symbol, kind, _), group in by_series.items():
        seen = [_Seen(file, kind) for file in group[:_LOOKED]]
        for one, other in combinations(seen, 2):
            why = (_other_trades if kind == "tick" else _other_bars)(one, other)
            if why is not None:
                raise SourceError(_refusal(one.file, other.file, symbol, why))


@dataclass(frozen=True)
class _Seen:
    """A file and what its first rows hold: the closes by time (ms), or the prices and amounts by trade id."""

    file: DataFile
    kind: Kind

    @cached_property
    def rows(self) -> Mapping[Any, Any]:
        """The first rows; none of a file of several symbols."""
        if len(self.file.symbols) > 1:
            return {}
        return _trades(self.file) if self.kind == "tick" else _closes(self.file)


def _other_bars(one: _Seen, other: _Seen) -> str | None:
    """Return why the bars of two files are of two markets: their prices."""
    prices = [_prices(file) for file in (one.file, other.file)]
    if all(prices) and prices[0] != prices[1]:
        return "one has the bid and the other the ask"
    both, differ = _compared(one, other)
    if both >= ENOUGH and differ > MOST * both:
        return f"{differ} of {both} bars of the same time have other prices"
    return None


def _compared(one: _Seen, other: _Seen) -> tuple[int, int]:
    """Return how many of the first rows are in both files, and how many of these differ."""
    both = one.rows.keys() & other.rows.keys()
    return len(both), sum(one.rows[row] != other.rows[row] for row in both)


def _prices(file: DataFile) -> list[str]:
    """Return what the remarks on a file say of its prices: that they are the bid, or the ask."""
    return [remark for remark in file.layout.remarks if remark.startswith(SIDE_OF_PRICES)]


def _other_trades(one: _Seen, other: _Seen) -> str | None:
    """Return why the trades of two files are of two markets: their ids, where each counts them one by one.

    Of one market the trades of one time have the ids of one count; lost rows may be as many as there are.
    """
    contract, another = (of_contracts(seen.file.table.head) is not None for seen in (one, other))
    if contract is not another:
        return "one has the trades of a contract, the other not"
    if not len(one.file.symbols) == len(other.file.symbols) == 1:
        return None
    both, differ = _compared(one, other)
    if both >= ENOUGH and differ > MOST * both:
        return f"{differ} of {both} trades of the same id have another price or amount"
    spans = (one.file.span, other.file.span)
    together = min(span.last for span in spans) - max(span.first for span in spans)
    return None if together < _TOGETHER_MS else _beside(one, other, together)


def _beside(one: _Seen, other: _Seen, together: int) -> str | None:
    """Return why trades of two files that are of the same time, for so many ms, are not those of one market."""
    if not any("trade_id" in seen.file.layout.columns for seen in (one, other)):
        return f"for {together // 1_000} s both have trades without ids, and which are the same cannot be told"
    ids, others = _ids(one), _ids(other)
    lost = one.file.rows + other.file.rows
    if ids is not None and others is not None and max(ids[0], others[0]) - min(ids[1], others[1]) > lost:
        return "their trades of the same time have other ids"
    return None


def _trades(file: DataFile) -> dict[str, tuple[float | None, float | None]]:
    """Return the price and amount of the first trades by their ids."""
    head, columns = file.table.head, file.layout.columns
    if "trade_id" not in columns:
        return {}
    trade, price, amount = (head.names.index(columns[name]) for name in ("trade_id", "price", "amount"))
    return {row[trade] or "": (number(row[price]), number(row[amount])) for row in head.rows if row[trade]}


def _ids(seen: _Seen) -> tuple[int, int] | None:
    """Return the first and the last id of a file that counts its trades one by one; None if it does not."""
    counted = [int(trade) for trade in map(str, seen.rows) if trade.isdecimal()]
    steps = {after - before for before, after in pairwise(counted)}
    if len(counted) < ENOUGH or len(steps) != 1 or not steps <= {1, -1}:
        return None
    last = counted[0] + steps.pop() * (seen.file.rows - 1)
    return min(counted[0], last), max(counted[0], last)


def _refusal(one: DataFile, other: DataFile, symbol: str, why: str) -> str:
    names = [file.name if one.name != other.name else f"{file.table.folder.name}/{file.name}" for file in (one, other)]
    return (
        f"{names[0]} and {names[1]} both say {symbol}, but {why}: they are of different markets or venues, or overlap. "
        "Replay one of them alone, or each with its --market or --symbol"
    )


def _closes(file: DataFile) -> dict[int, float | None]:
    """Return the closes of the first rows by their times (ms)."""
    head, layout = file.table.head, file.layout
    places = {layout.columns[name] for name in ("time", "clock", "minute") if name in layout.columns}
    cells = pa.table({name: pa.array(head.column(head.names.index(name)), pa.string()) for name in sorted(places)})
    time = times(Chunk(cells, np.arange(len(head.rows)), []), layout, file.order, file.zone)
    closes = map(number, head.column(head.names.index(layout.columns["close"])))
    begins = zip((time - interval_ms(file.interval or "") if layout.ends else time).tolist(), time, closes, strict=True)
    return {at: close for at, read, close in begins if read != UNREADABLE and close is not None}

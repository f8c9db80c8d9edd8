"""A table that is to be replayed: recognised, looked through once, then read in time order."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sources.cells import array_of
from sources.columns import Array, Columns, Registry, Series
from sources.container import Table
from sources.detect import detect
from sources.errors import SourceError
from sources.layout import Layout, Source
from sources.parse import Chunk, Parsed, Reading, parse, times
from sources.sort import sort
from sources.times import UNREADABLE, DateOrder, date_order, slash_dates
from topics.units import interval_name


@dataclass(frozen=True)
class DataFile:
    """What is known of a table before it is replayed: `rows` as counted, `ordered` whether they are in time order.

    Rows later than `latest` (epoch ms) are impossible.
    """

    table: Table
    source: Source
    layout: Layout
    symbol: Callable[[str], str]
    order: DateOrder
    rows: int
    ordered: bool
    symbols: frozenset[str]
    interval: str | None
    latest: int

    @property
    def name(self) -> str:
        """The file's name, and the member's in a zip."""
        return self.table.name

    def renamed(self, symbol: str) -> "DataFile":
        """Return the file with its one symbol called so."""
        return replace(self, symbol=lambda _: symbol, symbols=frozenset({symbol}))

    def read(self, registry: Registry, scratch: Path, accept: Callable[[Parsed], Columns]) -> Iterator[Columns]:
        """Yield the good rows in time order, in blocks. `accept` sees all that is parsed, and says which rows stay."""

        def number(symbol: str) -> int:
            return registry.number(Series(self.layout.kind, symbol, self.interval))

        reading = Reading(self.name, self.layout, self.interval, self.order, self.symbol, number, self.latest)
        chunks = (accept(parse(chunk, reading)) for chunk in self.table.read(None))
        return chunks if self.ordered else sort(chunks, scratch)


def look_through(
    table: Table, interval: str | None, symbol: str | None, on_rows: Callable[[int], None], latest: int
) -> DataFile:
    """Recognise a table and read its times and symbols once. `interval` is its bars', where it is given.

    Rows later than `latest` (epoch ms) will be impossible.

    `symbol` is what rows without one belong to, where the name does not tell it. `on_rows` hears of the rows counted.
    Raises SourceError where the format, the symbol or the interval cannot be told.
    """
    source, layout = detect(table.head)
    if "symbol" not in layout.columns and layout.symbol is None:
        if symbol is None:
            raise SourceError(f"{table.name}: no symbol in the file or in its name; give it with --symbol")
        layout = replace(layout, symbol=symbol)
    naming = source.symbols(table.folder)
    wanted = [layout.columns[name] for name in ("time", "symbol") if name in layout.columns]
    order = _date_order(table, layout)
    seen: set[str] = set() if "symbol" in layout.columns else {naming(layout.symbol or "")}
    rows, last, ordered = 0, 0, True
    for chunk in table.read(wanted):
        time = times(chunk, layout, order)
        cells = _symbol_cells(chunk, layout)
        if layout.kind == "bar" and interval is None:
            interval = _interval(time, cells)
        if cells is not None:
            seen.update(naming(cell) for cell in cells.unique().to_pylist() if cell is not None)
        time = time[time != UNREADABLE]
        ordered = ordered and (not len(time) or bool(last <= time[0] and (time[1:] >= time[:-1]).all()))
        last = int(time[-1]) if len(time) else last
        rows += len(chunk.row) + len(chunk.broken)
        on_rows(rows)
    if layout.kind == "bar" and interval is None:
        raise SourceError(f"{table.name}: too few rows to tell the interval of its bars; give it with --interval")
    known = interval if layout.kind == "bar" else None
    return DataFile(table, source, layout, naming, order, rows, ordered, frozenset(seen), known, latest)


def _date_order(table: Table, layout: Layout) -> DateOrder:
    """Tell how the file writes dates with strokes; most files have none, and are then not read for it."""
    column = layout.columns["time"]
    cells = table.head.column(table.head.names.index(column))
    if not any("/" in (cell or "") for cell in cells):
        return "day"
    dates: dict[str, None] = {}
    for chunk in table.read([column]):
        dates.update(dict.fromkeys(slash_dates(chunk.table.column(column))))
    return date_order(dates)


def _symbol_cells(chunk: Chunk, layout: Layout) -> Any:
    """Return the cells of the symbol column as text, or None where there is none."""
    column = layout.columns.get("symbol")
    return None if column is None else array_of(chunk.table.column(column)).cast("string")


def _interval(time: Array, cells: Any) -> str | None:
    """Return the most common step between neighbouring bars of one symbol, None where there are no two."""
    groups = np.zeros(len(time), dtype=np.int32)
    if cells is not None:
        groups = cells.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    steps: Counter[int] = Counter()
    for group in np.unique(groups):
        known = time[(groups == group) & (time != UNREADABLE)]
        values, counts = np.unique(np.diff(np.unique(known)), return_counts=True)
        steps.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
    if not steps:
        return None
    # Of steps that are equally common the shortest, so that the others are gaps.
    return interval_name(max(steps, key=lambda step: (steps[step], -step)))

"""A table that is to be replayed: recognised, looked through once, then read in time order."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sources.cells import number, strings, texts
from sources.columns import Array, Columns, Registry, Series
from sources.container import Table
from sources.counts import Understood
from sources.detect import detect
from sources.errors import SourceError
from sources.interval import Steps, decide
from sources.layout import Layout, Source
from sources.names import interval_of
from sources.parse import Chunk, Parsed, Reading, parse, times
from sources.sort import sort
from sources.times import DAY, UNREADABLE, DateOrder, date_order, slash_dates, unit_of
from sources.volumes import with_volumes
from sources.wish import Wish
from topics.units import interval_ms

STROKES = re.compile(r"\d{1,2}/\d{1,2}/\d{4}")


@dataclass(frozen=True)
class DataFile:
    """What is known of a table before it is replayed: `rows` as counted, `ordered` whether they are in time order.

    Rows later than `latest` (epoch ms) are impossible. `shifts` are what rows may stand after the start of their
    interval (ms) and still mean it; `told` is what tells the interval.
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
    shifts: frozenset[int] = frozenset()
    told: str = ""

    @property
    def name(self) -> str:
        """The file's name, and the member's in a zip."""
        return self.table.name

    def renamed(self, symbol: str) -> "DataFile":
        """Return the file with its one symbol called so."""
        return replace(self, symbol=lambda _: symbol, symbols=frozenset({symbol}))

    def understood(self) -> Understood:
        """Return what the table is taken for."""
        layout = self.layout
        column = layout.columns["time"]
        cell = next((cell for cell in self.table.head.column(self.table.head.names.index(column)) if cell), "")
        written = unit_of(number(cell) or np.nan) or "text"
        if STROKES.match(cell):
            written = f"dates with the {self.order} first"
        return Understood(
            self.name,
            self.source.name,
            layout.kind,
            sorted(self.symbols),
            self.interval,
            self.told,
            {name: layout.names[int(at)] if layout.names else at for name, at in layout.columns.items()},
            f"{written}, such as {cell!r}",
            "UTC where a time names none",
            [name or "(unnamed)" for name in layout.left_out],
            list(self.table.head.notes),
            list(layout.remarks),
        )

    def read(self, registry: Registry, scratch: Path, accept: Callable[[Parsed], Columns]) -> Iterator[Columns]:
        """Yield the good rows in time order, in blocks. `accept` sees all that is parsed, and says which rows stay."""

        def number(symbol: str) -> int:
            return registry.number(Series(self.layout.kind, symbol, self.interval))

        reading = Reading(
            self.name, self.layout, self.interval, self.order, self.symbol, number, self.latest, self.shifts
        )
        chunks = (accept(parse(chunk, reading)) for chunk in self.table.read(None))
        return chunks if self.ordered else sort(chunks, scratch)


def look_through(table: Table, wish: Wish, on_rows: Callable[[int], None], latest: int) -> DataFile:
    """Recognise a table and read its times and symbols once.

    Of the wish count the interval and the order of dates, and the symbol where neither rows nor name tell it. Rows
    later than `latest` (epoch ms) will be impossible. `on_rows` hears of the rows counted.
    Raises SourceError where the format, the times, the symbol or the interval cannot be told.
    """
    source, layout = detect(table.head)
    if "symbol" not in layout.columns and layout.symbol is None:
        if wish.symbol is None:
            raise SourceError(f"{table.name}: no symbol in the file or in its name; give it with --symbol")
        layout = replace(layout, symbol=wish.symbol)
    layout = with_volumes(table.head, layout)
    naming = source.symbols(table.folder)
    wanted = [layout.columns[name] for name in ("time", "clock", "symbol") if name in layout.columns]
    order = wish.date_order or _date_order(table, layout)
    seen: set[str] = set() if "symbol" in layout.columns else {naming(layout.symbol or "")}
    steps, rows, last, ordered, first = Steps(), 0, 0, True, None
    for chunk in table.read(wanted):
        time = times(chunk, layout, order)
        cells = _symbol_cells(chunk, layout)
        if layout.kind == "bar":
            steps.add(time, _groups(time, cells))
        if cells is not None:
            seen.update(naming(cell) for cell in cells.unique().to_pylist() if cell is not None)
        first = first or _unread(chunk, layout, time)
        time = time[time != UNREADABLE]
        ordered = ordered and (not len(time) or bool(last <= time[0] and (time[1:] >= time[:-1]).all()))
        last = int(time[-1]) if len(time) else last
        rows += len(chunk.row) + len(chunk.broken)
        on_rows(rows)
    if not last and first is not None:
        raise SourceError(
            f"{table.name}: no time can be read: the first in column {layout.columns['time']!r} is {first!r}; known "
            "are unix times, dates such as 2024-01-31 12:00, 31.01.2024, 20240131, and spreadsheets' days"
        )
    interval, told = wish.interval, "--interval"
    if layout.kind == "bar" and interval is None:
        interval, told = decide(steps.steps, interval_of(table.name), table.name)
    known = interval if layout.kind == "bar" else None
    if known is not None and interval_ms(known) > DAY:
        raise SourceError(f"{table.name}: bars of {known} are not served: the longest interval is 1d")
    shifts = steps.shifts(interval_ms(known)) if known is not None else frozenset()
    return DataFile(table, source, layout, naming, order, rows, ordered, frozenset(seen), known, latest, shifts, told)


def _unread(chunk: Chunk, layout: Layout, time: Array) -> str | None:
    """Return the first cell of a chunk that is no time, None where there is none or it is empty."""
    places = np.flatnonzero(time == UNREADABLE)[:1]
    return texts(chunk.table.column(layout.columns["time"]).slice(int(places[0]), 1))[0] if len(places) else None


def _date_order(table: Table, layout: Layout) -> DateOrder:
    """Tell how the file writes dates with strokes; most files have none, and are then not read for it."""
    column = layout.columns["time"]
    cells = table.head.column(table.head.names.index(column))
    if not any("/" in (cell or "") for cell in cells):
        return "day"
    dates: dict[str, None] = {}
    for chunk in table.read([column]):
        dates.update(dict.fromkeys(slash_dates(chunk.table.column(column))))
    order = date_order(dates)
    if order is None:
        raise SourceError(f"{table.name}: some dates have the day first and others the month: they cannot all be read")
    return order


def _symbol_cells(chunk: Chunk, layout: Layout) -> Any:
    """Return the cells of the symbol column as text, or None where there is none."""
    column = layout.columns.get("symbol")
    return None if column is None else strings(chunk.table.column(column))


def _groups(time: Array, cells: Any) -> Array:
    """Return a number for each row that tells the symbols of a chunk apart."""
    if cells is None:
        return np.zeros(len(time), dtype=np.int32)
    groups: Array = cells.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return groups

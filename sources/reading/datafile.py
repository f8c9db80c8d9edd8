"""A table to replay: recognised, scanned once, then read in time order."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from sources.errors import NotTradedError, SourceError
from sources.formats.trades import without_doubt
from sources.markets.contract_size import with_amounts
from sources.markets.file_name import interval_of
from sources.markets.market import UNSAID, Market, market_of, not_traded, of_columns
from sources.reading.constant_columns import SingleValueCheck
from sources.reading.container import Table
from sources.reading.counts import FileSummary
from sources.reading.detect import detect
from sources.reading.parse import LONGEST_CELL, Chunk, Parsed, Reading, parse, times
from sources.reading.request import ReadRequest
from sources.reading.sort import sort
from sources.reading.symbol import SymbolSpellings, in_market, named, of_one_kind
from sources.tables.cells import number, strings, texts
from sources.tables.closed_bars import check_marks
from sources.tables.columns import Array, Columns, Registry, SeriesKey
from sources.tables.decimal_comma import has_decimal_comma
from sources.tables.layout import Layout, Source
from sources.times.close_times import by_close, check_close, check_two, lasting
from sources.times.date_only import check_days
from sources.times.interval import Steps, decide
from sources.times.span import Span
from sources.times.timestamps import (
    DAY,
    UNREADABLE,
    DateOrder,
    date_order,
    is_unix,
    names_no_zone,
    slash_dates,
    unit_of,
)
from sources.times.zone_column import check_named_zone
from topics.units import interval_ms

ZONE = re.compile(r"\d:\d\d\S*\s+\(?([A-Za-z]+(?:/[A-Za-z_]+)?)\)?\Z")
"""A zone's name behind a time of day."""
STROKES = re.compile(r"\d{1,2}[/.]\d{1,2}[/.]\d{4}")

_AFTER_DELIVERY = 7 * 3_600_000
"""Before the end of its last day (ms) a delivery is no longer traded: Kraken's ends last, at 16:00 in London."""


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """A table's properties before its replay: `rows` as counted, `span` their times.

    Rows later than `latest` (epoch ms) are impossible. `shifts` are the offsets (ms) from the start of their interval
    at which rows are moved to it; `interval_evidence` is the evidence for the interval; a `nameless` file gets the
    user's symbol.
    """

    table: Table
    source: Source
    layout: Layout
    symbol: Callable[[str], str]
    order: DateOrder
    rows: int
    span: Span
    symbols: frozenset[str]
    interval: str | None
    latest: int
    market: Market
    shifts: frozenset[int] = frozenset()
    interval_evidence: str = ""
    zone: str | None = None
    nameless: bool = False

    @property
    def name(self) -> str:
        """The file's name, and the member's in a zip."""
        return self.table.name

    def may_be(self, symbol: str) -> bool:
        """Return whether its one symbol may be called so: not where it is another market of the same pair."""
        [text] = self.symbols
        return text.partition(":")[0] != symbol.partition(":")[0]

    def renamed(self, symbol: str) -> "DataFile":
        """Return the file with its one symbol called so."""
        remark = f"the symbol {next(iter(self.symbols))} is named {symbol}, by --symbol"
        layout = replace(self.layout, remarks=(*self.layout.remarks, remark))
        return replace(self, layout=layout, symbol=lambda _: symbol, symbols=frozenset({symbol}))

    def understood(self) -> FileSummary:
        """Return what the table is taken for."""
        layout = self.layout
        column = layout.columns["time"]
        cell = next((cell for cell in self.table.head.column(self.table.head.names.index(column)) if cell), "")
        written = unit_of(number(cell) or np.nan) or "text"
        if layout.midnight is not None:
            written = f"milliseconds since the start of {np.datetime64(layout.midnight, 'ms').astype('M8[D]')}"
        if STROKES.match(cell):
            written = f"dates with the {self.order} first"
        return FileSummary(
            file=self.name,
            layout=self.source.name,
            kind=layout.kind,
            symbols=sorted(self.symbols),
            interval=self.interval,
            interval_told_by=self.interval_evidence,
            market=self.market.words(sorted(self.symbols)),
            columns={name: layout.names[int(at)] if layout.names else at for name, at in layout.columns.items()},
            times=f"{written}, such as {cell!r}",
            zone=self._zone(cell),
            left_out=[name or "(unnamed)" for name in layout.left_out],
            notes=list(self.table.head.notes),
            remarks=list(layout.remarks),
            needless=[name or "(unnamed)" for name in self._needless()],
        )

    def _needless(self) -> list[str]:
        """Return the columns that are known and not needed."""
        used = {*self.layout.columns.values(), *self.layout.left_out}
        return [
            name
            for place, name in enumerate(self.layout.names or self.table.head.header or ())
            if not used & {name, str(place)}
        ]

    def _zone(self, cell: str) -> str:
        """Return in what zone the times are, where the first is that cell."""
        if self.layout.midnight is None and is_unix(np.array([number(cell) or np.nan]))[0]:
            return "UTC" if self.zone is None else "UTC, as all unix times: --zone does not move them"
        return f"{self.zone or 'UTC'} where a time names none"

    def read(self, registry: Registry, scratch: Path, accept: Callable[[Parsed], Columns]) -> Iterator[Columns]:
        """Yield the good rows in time order, in blocks. `accept` sees all that is parsed, and says which rows stay."""

        def number(symbol: str) -> int:
            return registry.number(SeriesKey(self.layout.kind, symbol, self.interval))

        reading = Reading(
            name=self.name,
            layout=self.layout,
            interval=self.interval,
            order=self.order,
            symbol=self.symbol,
            number=number,
            latest=self.latest,
            shifts=self.shifts,
            zone=self.zone,
        )
        chunks = (accept(parse(chunk, reading)) for chunk in self.table.read(None))
        # Of a file that is written newest first the upper row of a time is the later one.
        return chunks if self.span.rises else sort(chunks, scratch, turned=self.span.falls)


def look_through(
    table: Table, request: ReadRequest, on_rows: Callable[[int], None], latest: int, *, alone: bool = True
) -> DataFile:
    """Recognise a table and read its times and symbols once.

    Of the request the options about files are used; the symbol if neither rows nor name have it, or as the name of the
    only file's own (`alone`). Rows later than `latest` (epoch ms) will be impossible. `on_rows` gets the number of
    rows. Raises SourceError if the format, the times, the symbol or the interval cannot be told.
    """
    known = _recognised(table, request, alone=alone)
    layout, market = known.layout, known.market
    zone = request.zone or layout.zone
    order = request.date_order or _date_order(table, layout)
    if zone is None and layout.columns["time"].strip().lower() == "local time":
        _check_zone_named(table, layout.columns["time"])
    seen = _read_once(table, known, order, zone, on_rows)
    steps, span = seen.steps, seen.span
    layout = with_amounts(table.head, layout, of_one_kind(seen.symbols, request, table.name), request.contract_size)
    _check_delivered(market, span.last, table.name)
    interval, text = request.interval, "--interval"
    if layout.kind == "bar" and interval is None:
        interval, text = _interval(table, layout, order, steps, seen.rows)
    length = interval if layout.kind == "bar" else None
    if length is not None and interval_ms(length) > DAY:
        raise SourceError(f"{table.name}: bars of {length} are not served: the longest interval is 1d")
    shifts = steps.shifts(interval_ms(length)) if length is not None else frozenset()
    if length is not None and not shifts:
        _check_aligned(steps, length, zone, table.name)
    return DataFile(
        table=table,
        source=known.source,
        layout=layout,
        symbol=known.naming,
        order=order,
        rows=seen.rows,
        span=span,
        symbols=frozenset(seen.symbols),
        interval=length,
        latest=latest,
        market=market,
        shifts=shifts,
        interval_evidence=text,
        zone=zone,
        nameless=known.nameless,
    )


class _Recognised(NamedTuple):
    """What a table is, by its head, its name and what is said of it."""

    source: Source
    layout: Layout
    market: Market
    naming: Callable[[str], str]
    nameless: bool


class _Seen(NamedTuple):
    """What all rows of a table tell."""

    steps: Steps
    rows: int
    span: Span
    symbols: set[str]


def _recognised(table: Table, request: ReadRequest, *, alone: bool) -> _Recognised:
    """Return what the table is. Raises SourceError where nothing tells it, or where it is nothing traded."""
    market = market_of(table.name, table.folder, request.market, alone=alone)
    source, layout = detect(table.head, request.layout)
    layout = _looked_at(table, layout, request)
    if request.market is None and (why := not_traded(table.head, layout)):
        raise NotTradedError(f"{table.name}: {why}")
    if market is UNSAID:
        market, layout = of_columns(table.head, layout)
    layout = layout if market is UNSAID else without_doubt(layout)
    layout, market, nameless = named(table.name, source.name, layout, request, market, alone)
    return _Recognised(source, layout, market, in_market(source.symbols(table.folder), market, table.name), nameless)


def _read_once(
    table: Table, known: _Recognised, order: DateOrder, zone: str | None, on_rows: Callable[[int], None]
) -> _Seen:
    """Read the times and symbols of all rows. Raises SourceError where no time can be read."""
    layout = known.layout
    wanted = [layout.columns[name] for name in ("time", "clock", "minute", "symbol") if name in layout.columns]
    single = SingleValueCheck(table.head, layout, table.name)
    wanted += [name for name in single.columns if name not in wanted]
    spelled = SymbolSpellings(known.naming, layout.kind, table.name)
    steps, rows, span, first = Steps(), 0, Span(), None
    for chunk in table.read(wanted):
        time = times(chunk, layout, order, zone)
        cells = _symbol_cells(chunk, layout)
        single.check(chunk)
        if layout.kind == "bar":
            steps.add(time, _groups(time, cells))
        if cells is not None:
            spelled.check(cells.unique().to_pylist())
        first = first or _unread(chunk, layout, time, order, zone)
        span.add(time[time != UNREADABLE])
        rows += len(chunk.row) + len(chunk.broken)
        on_rows(rows)
    if not span.last and first is not None:
        raise SourceError(
            f"{table.name}: no time can be read: the first in column {layout.columns['time']!r} is {first}"
        )
    symbols = set(spelled.symbols) if "symbol" in layout.columns else {known.naming(layout.symbol or "")}
    return _Seen(steps, rows, span, symbols)


def _interval(table: Table, layout: Layout, order: DateOrder, steps: Steps, rows: int) -> tuple[str, str]:
    """Return the interval of a table's bars, and what tells it. Raises SourceError where nothing does."""
    lasts = lasting(table.head, layout, order)
    results = decide(steps.steps, interval_of(table.name), table.name, rows)
    interval, text = by_close(lasts, results)
    check_close(lasts, interval, table.name)
    return interval, text


def _looked_at(table: Table, layout: Layout, request: ReadRequest) -> Layout:
    """Return the layout with how its numbers are written. Raises where the first rows can be read in two ways."""
    check_marks(table.head, layout)
    check_two(table.head, layout, request.date_order or "day")
    check_days(table.head, layout, request.date_order or "day")
    if request.zone is None and layout.zone is None:
        check_named_zone(table.head, layout)
    return replace(layout, continental=has_decimal_comma(table.head, layout))


def _day(time: int) -> str:
    return f"{datetime.fromtimestamp(time / 1_000, UTC):%y%m%d}"


def _clock(time: int) -> str:
    return f"{datetime.fromtimestamp(time / 1_000, UTC):%y%m%d %H:%M}"


def _check_delivered(market: Market, last: int, name: str) -> None:
    """Raise where rows of a delivery are later than it."""
    if market.expiry and last and _day(last + _AFTER_DELIVERY) > market.expiry:
        raise SourceError(
            f"{name}: {market.source} says a delivery of {market.expiry}, and the rows go on to {_clock(last)} UTC, "
            "when none is traded any more: give --market spot"
        )


def _check_zone_named(table: Table, column: str) -> None:
    """Raise where a time that is called local does not say of which zone."""
    cells = [cell for cell in table.head.column(table.head.names.index(column)) if cell]
    if (without := names_no_zone(pa.array(cells, pa.string()))).any():
        cell = cells[int(np.flatnonzero(without)[0])]
        raise SourceError(f"{table.name}: column {column!r} has {cell!r}, of no zone; give it with --zone")


def _check_aligned(steps: Steps, interval: str, zone: str | None, name: str) -> None:
    """Raise where no bar begins when one of its interval does in UTC: a day of another zone is no day of ours."""
    beside = {time % interval_ms(interval) for time in steps.of_day}
    if zone is None:
        if interval == "1d" and len(beside) == 1 and 0 not in beside:
            begins = min(beside) // 60_000
            raise SourceError(
                f"{name}: its days begin at {begins // 60:02}:{begins % 60:02} UTC, and are not served: where its "
                "times are of another zone, give it with --zone"
            )
        return
    if beside and 0 not in beside:
        begins = min(beside) // 60_000
        raise SourceError(
            f"{name}: in the zone {zone} its bars of {interval} begin {begins // 60} h {begins % 60} min after those "
            "of UTC, and are not served: give another with --zone, or files of a shorter interval"
        )


def _unread(chunk: Chunk, layout: Layout, time: Array, order: DateOrder, zone: str | None) -> str | None:
    """Return the first cell of a chunk that is no time, and what to do; None if there is none or it is empty."""
    places = np.flatnonzero(time == UNREADABLE)[:1]
    if not len(places):
        return None
    at = int(places[0])
    cell = texts(chunk.table.column(layout.columns["time"]).slice(at, 1))[0]
    one = Chunk(chunk.table.slice(at, 1), chunk.row[at : at + 1], [])
    if not cell:
        return None
    if zone is not None and times(one, layout, order, None)[0] != UNREADABLE:
        return f"{cell!r}, which the clock of {zone} never shows, or shows twice, as on the day when it is changed"
    if (named := ZONE.search(cell)) and named[1].upper() not in ("AM", "PM"):
        return f"{cell!r}: the zone {named[1]} is not read; take it out of the cells, and give it with --zone"
    return f"{cell[:LONGEST_CELL]!r}; known are unix times, and dates as 2024-01-31 12:00 (--date-order, --zone)"


def _date_order(table: Table, layout: Layout) -> DateOrder:
    """Tell how the file writes dates with strokes; most files have none, and are then not read for it."""
    column = layout.columns["time"]
    cells = table.head.column(table.head.names.index(column))
    if not any(STROKES.match(cell.strip()) for cell in cells if cell):
        return "day"
    dates: dict[str, None] = {}
    for chunk in table.read([column]):
        dates.update(dict.fromkeys(slash_dates(chunk.table.column(column))))
    order = date_order(dates, within_days=_within_days(table, layout) or interval_of(table.name) is not None)
    if order == "either":
        first = next((date for date in dates if len(set(re.split("[/.]", date)[:2])) == 2), next(iter(dates)))
        one, other = (datetime.strptime(first.replace(".", "/"), form) for form in ("%d/%m/%Y", "%m/%d/%Y"))
        raise SourceError(
            f"{table.name}: {first} may be {one.day} {one:%B} or {other.day} {other:%B}, and the other dates do not "
            "tell: --date-order day or month"
        )
    if order is None:
        day, month = (next(date for date in dates if int(re.split("[/.]", date)[place]) > 12) for place in (0, 1))
        raise SourceError(
            f"{table.name}: some dates have the day first and others the month, such as {day} and {month}: they cannot "
            "all be read; write them as 2024-01-31, or say with --date-order which to read: the others are impossible"
        )
    return order


def _within_days(table: Table, layout: Layout) -> bool:
    """Return whether the first rows have a time of day, or several a day of one symbol."""
    if "clock" in layout.columns:
        return True
    column = layout.columns["time"]
    cells = [cell.strip() for cell in table.head.column(table.head.names.index(column)) if cell]
    dates = [match[0] for cell in cells if (match := STROKES.match(cell))]
    return "symbol" not in layout.columns and len(set(dates)) < len(dates)


def _symbol_cells(chunk: Chunk, layout: Layout) -> Any:
    """Return the cells of the symbol column as text, or None if there is none."""
    column = layout.columns.get("symbol")
    return None if column is None else strings(chunk.table.column(column))


def _groups(time: Array, cells: Any) -> Array:
    """Return a number for each row that tells the symbols of a chunk apart."""
    if cells is None:
        return np.zeros(len(time), dtype=np.int32)
    groups: Array = cells.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return groups

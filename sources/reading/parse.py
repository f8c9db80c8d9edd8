"""A chunk of a file to normalised columns and what cannot be used of it. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sources.errors import SourceError
from sources.markets.trade_side import BOUGHT, SIGNS, SOLD
from sources.tables.cells import floats, strings, texts
from sources.tables.closed_bars import goes_on
from sources.tables.columns import Array, Columns, take
from sources.tables.layout import BAR_FIELDS, PRICES, Layout
from sources.times.time_of_day import counts_hours
from sources.times.timestamps import UNREADABLE, DateOrder, milliseconds, since
from topics.limits import (
    EARLIEST,
    END_OF_TIME,
    LEAST_AMOUNT,
    LEAST_PRICE,
    LONGEST_SYMBOL,
    MOST_AMOUNT,
    MOST_PRICE,
    MOST_QUOTE,
    MOST_VOLUME,
    SYMBOL,
)
from topics.records import Bar, DeadLetter, Tick
from topics.units import interval_ms

Flags = npt.NDArray[np.bool_]
_SYMBOL = re.compile(SYMBOL)
SIDES: tuple[str | None, ...] = (None, "buy", "sell")
"""What the numbers of the `side` column mean."""
NO_SYMBOL = -1
LONGEST_CELL = 80
"""Characters of a cell that are shown."""
ROUNDING = 1e-6
"""By how much of the volume what takers bought of it may exceed it."""
_SIDES = dict.fromkeys((*BOUGHT, "2"), 1) | dict.fromkeys((*SOLD, "1"), 2)
"""What a cell of the side says: Gate writes 1 for a sale and 2 for a purchase."""
_TURNED = {cell: 3 - side for cell, side in _SIDES.items()}
_BUYER_MAKER = {"true": 2, "t": 2, "false": 1, "f": 1, "1": 2, "0": 1}


@dataclass(frozen=True)
class Chunk:
    """Rows as they stand in a file: `table` a pyarrow table [n], `row` their numbers (the first is 1), `broken` the
    rows that have another number of cells, with their text.
    """

    table: Any
    row: npt.NDArray[np.int64]
    broken: list[tuple[int, str]]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read a file: its layout, its interval (None for trades), how dates are written and in which zone, and the
    numbers of its symbols.

    `symbol` turns a cell of the symbol column (or the layout's symbol) into a symbol, `number` a symbol into its
    series. A row that is later than `latest` (epoch ms) is impossible; one that stands by one of `shifts` (ms) after
    the start of its interval means that start.
    """

    name: str
    layout: Layout
    interval: str | None
    order: DateOrder
    symbol: Callable[[str], str]
    number: Callable[[str], int]
    latest: int = END_OF_TIME
    shifts: frozenset[int] = frozenset()
    zone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What a chunk held: good rows in the file's order, impossible ones, how many rows had no prices at all, how many
    bars were not over yet, how many stood beside their interval, and by field the cells that cannot be.
    """

    columns: Columns
    dead: list[DeadLetter]
    empty: int
    unfinished: int = 0
    shifted: int = 0
    unknown: dict[str, int] = field(default_factory=dict)


def parse(chunk: Chunk, reading: Reading) -> Parsed:
    """Read a chunk. Each of its rows is either good, dead, empty, or of a bar that is not over."""
    layout = reading.layout
    time = times(chunk, layout, reading.order, reading.zone)
    if layout.ends:
        time = np.where(time == UNREADABLE, time, time - interval_ms(reading.interval or "1s"))
    time, shifted = _at_their_start(time, reading)
    columns = {"row": chunk.row, "time": time, "series": _series(chunk, reading)}
    unknown: dict[str, int] = {}
    columns |= _bars(chunk, layout, unknown) if layout.kind == "bar" else _ticks(chunk, layout)
    empty = _nothing_traded(columns) if layout.kind == "bar" else np.zeros(len(chunk.row), dtype=bool)
    going = _unfinished(chunk, layout) & ~empty
    possible = _possible_bars(columns, reading) if layout.kind == "bar" else _possible_ticks(columns)
    possible &= (columns["time"] >= EARLIEST) & (columns["time"] <= reading.latest)
    possible &= (columns["series"] != NO_SYMBOL) & ~empty
    dead = [_dead(chunk, columns, reading, int(at)) for at in np.flatnonzero(~possible & ~empty & ~going)]
    dead += [
        DeadLetter(
            topic=reading.name,
            partition=0,
            offset=row,
            reason=f"the row has another number of cells: {text[:LONGEST_CELL]!r}",
            value=text.encode(),
            time=0,
        )
        for row, text in chunk.broken
    ]
    kept = possible & ~going
    rows = columns if kept.all() else take(columns, kept)
    return Parsed(
        columns=rows,
        dead=dead,
        empty=int(empty.sum()),
        unfinished=int(going.sum()),
        shifted=int((shifted & kept).sum()),
        unknown=unknown,
    )


def _at_their_start(time: npt.NDArray[np.int64], reading: Reading) -> tuple[npt.NDArray[np.int64], Flags]:
    """Return the times with those that are shifted at the start of their interval, and which these are."""
    if not reading.shifts or reading.interval is None:
        return time, np.zeros(len(time), dtype=bool)
    beside = time % interval_ms(reading.interval)
    shifted = np.isin(beside, list(reading.shifts)) & (time != UNREADABLE)
    return np.where(shifted, time - beside, time), shifted


def _unfinished(chunk: Chunk, layout: Layout) -> Flags:
    """Return which rows are of an open bar, or have a word that does not mark it as closed."""
    turned = "goes_on" in layout.columns
    named = layout.columns.get("goes_on" if turned else "finished")
    if named is None:
        return np.zeros(len(chunk.row), dtype=bool)
    encoded = strings(chunk.table.column(named)).dictionary_encode()
    going = [goes_on(cell, turned=turned) is not False for cell in encoded.dictionary.to_pylist()]
    return _looked_up(encoded, np.array([*going, False]))


def times(chunk: Chunk, layout: Layout, order: DateOrder, zone: str | None) -> npt.NDArray[np.int64]:
    """Return the chunk's times [n]."""
    clock = layout.columns.get("clock")
    if layout.midnight is not None:
        return since(layout.midnight, chunk.table.column(layout.columns["time"]), zone)
    day, minute = chunk.table.column(layout.columns["time"]), layout.columns.get("minute")
    if clock is None:
        return milliseconds(day, order, zone=zone, whole_days=layout.day)
    beside = None if minute is None else chunk.table.column(minute)
    return milliseconds(
        day, order, chunk.table.column(clock), zone, minute=beside, hours=counts_hours(clock), whole_days=layout.day
    )


def _series(chunk: Chunk, reading: Reading) -> Array:
    """Return the number of each row's series, `NO_SYMBOL` where its symbol is none."""
    name = reading.layout.columns.get("symbol")
    if name is None:
        return np.full(len(chunk.row), reading.number(reading.symbol(reading.layout.symbol or "")), dtype=np.int32)
    encoded = strings(chunk.table.column(name)).dictionary_encode()
    symbols = [reading.symbol(cell) for cell in encoded.dictionary.to_pylist()]
    numbers = [reading.number(symbol) if is_symbol(symbol) else NO_SYMBOL for symbol in symbols]
    return _looked_up(encoded, np.array([*numbers, NO_SYMBOL], dtype=np.int32))


def is_symbol(text: str) -> bool:
    """Return whether a text can be a symbol."""
    return len(text) <= LONGEST_SYMBOL and _SYMBOL.fullmatch(text) is not None


def _looked_up(encoded: Any, values: Array) -> Array:
    """Return the value of each cell of a dictionary-encoded column; the last value is that of empty cells."""
    result: Array = values[encoded.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)]
    return result


def _bars(chunk: Chunk, layout: Layout, unknown: dict[str, int]) -> Columns:
    """Return the columns of bars; what cannot be beside the prices is NaN, and counted in `unknown`."""

    def column(name: str) -> Array:
        named = layout.columns.get(name)
        return nothing if named is None else floats(chunk.table.column(named), continental=layout.continental)

    nothing = np.full(len(chunk.row), np.nan)
    columns = {name: column(name) for name in BAR_FIELDS}
    for name in ("volume", "buy_volume"):
        columns[name] = _in_base(columns[name], columns["close"], layout)
    if "vwap" in layout.columns:
        with np.errstate(invalid="ignore"):
            columns["quote_volume"] = column("vwap") * columns["volume"]
    bought = np.fmin(columns["volume"] * (1 + ROUNDING), MOST_VOLUME)
    for name, most in (("trades", 2.0**53), ("buy_volume", bought), ("quote_volume", MOST_QUOTE)):
        if columns[name] is nothing:
            continue
        with np.errstate(invalid="ignore"):
            within = (columns[name] >= 0) & (columns[name] <= most)
        if wrong := int((~within & ~np.isnan(columns[name])).sum()):
            unknown[name] = wrong
        columns[name] = np.where(within, columns[name], np.nan)
    return columns


def _in_base(amounts: Array, prices: Array, layout: Layout) -> Array:
    """Return amounts in base currency; the layout defines what is counted in contracts."""
    if layout.unit == 1.0 and not layout.inverse:
        return amounts
    with np.errstate(all="ignore"):
        result: Array = amounts * layout.unit / (prices if layout.inverse else 1.0)
    return result


def _nothing_traded(columns: Columns) -> Flags:
    empty: Flags = np.isnan(columns["open"])
    for name in PRICES[1:]:
        empty = empty & np.isnan(columns[name])
    return empty


def _possible_bars(columns: Columns, reading: Reading) -> Flags:
    """Return which rows `Bar` would accept, all at once."""
    opening, high, low, close = (columns[name] for name in PRICES)
    volume = columns["volume"]
    with np.errstate(invalid="ignore"):
        prices = (low >= LEAST_PRICE) & (low <= opening) & (opening <= high) & (high <= MOST_PRICE)
        prices &= (low <= close) & (close <= high)
        amount = np.isnan(volume) | (volume == 0) | ((volume >= LEAST_AMOUNT) & (volume <= MOST_VOLUME))
    aligned = columns["time"] % interval_ms(reading.interval or "1s") == 0
    possible: Flags = prices & amount & aligned
    return possible


def _ticks(chunk: Chunk, layout: Layout) -> Columns:
    n = len(chunk.row)
    columns: Columns = {
        name: floats(chunk.table.column(layout.columns[name]), continental=layout.continental)
        for name in ("price", "amount")
    }
    columns["amount"] = _in_base(columns["amount"], columns["price"], layout)
    if layout.signed:
        columns["side"] = np.where(columns["amount"] < 0, 2, 1).astype(np.int8)
        columns["amount"] = np.abs(columns["amount"])
    else:
        columns["side"] = _sides(chunk, layout)
    named = layout.columns.get("trade_id")
    columns["trade_id"] = np.full(n, None, dtype=object)
    if named is not None:
        columns["trade_id"] = strings(chunk.table.column(named)).to_numpy(zero_copy_only=False)
    return columns


def _sides(chunk: Chunk, layout: Layout) -> Array:
    """Return the taker's side as places in `SIDES`; where the buyer was the maker, the taker sold."""
    readings = (("side", _SIDES), ("sign", SIGNS), ("maker_side", _TURNED), ("buyer_maker", _BUYER_MAKER))
    for name, meanings in readings:
        named = layout.columns.get(name)
        if named is not None:
            encoded = strings(chunk.table.column(named)).dictionary_encode()
            numbers = [meanings.get(cell.strip().lower(), 0) for cell in encoded.dictionary.to_pylist()]
            return _looked_up(encoded, np.array([*numbers, 0], dtype=np.int8))
    return np.zeros(len(chunk.row), dtype=np.int8)


def _possible_ticks(columns: Columns) -> Flags:
    """Return which rows `Tick` would accept, all at once."""
    possible: Flags = np.ones(len(columns["time"]), dtype=bool)
    for name, least, most in (("price", LEAST_PRICE, MOST_PRICE), ("amount", LEAST_AMOUNT, MOST_AMOUNT)):
        with np.errstate(invalid="ignore"):
            possible &= (columns[name] >= least) & (columns[name] <= most)
    return possible


def _dead(chunk: Chunk, columns: Columns, reading: Reading, at: int) -> DeadLetter:
    cells = [cell or "" for column in chunk.table.slice(at, 1).columns for cell in texts(column)]
    time = int(columns["time"][at])
    value = ",".join(cells).encode()
    names = [name.strip().lower() for name in chunk.table.column_names]
    again = [cell.strip().lower() for cell in cells]
    if again != names and sorted(again) == sorted(names):
        raise SourceError(
            f"{reading.name}: row {int(chunk.row[at])} is a second header with its columns in another order: save the "
            "rows below it in a file of their own"
        )
    return DeadLetter(
        topic=reading.name,
        partition=0,
        offset=int(chunk.row[at]),
        reason=_reason(chunk, columns, reading, at),
        value=value,
        time=min(max(time, 0), END_OF_TIME - 1),
    )


def _unreadable(chunk: Chunk, reading: Reading, at: int) -> str:
    """Return why a time is none: its text, or that the clock of its zone never shows it, or shows it twice."""
    one = Chunk(chunk.table.slice(at, 1), chunk.row[at : at + 1], [])
    if reading.zone is not None and times(one, reading.layout, reading.order, None)[0] != UNREADABLE:
        return f"the clock of {reading.zone} never shows that time, or shows it twice, on the day when it is changed"
    return "the time cannot be read"


def _reason(chunk: Chunk, columns: Columns, reading: Reading, at: int) -> str:
    """Return why a row is impossible: the kind, a colon, and the cell with its column or the words of the record."""

    def cell(name: str) -> str:
        column = reading.layout.columns[name]
        return f"{str(texts(chunk.table.column(column).slice(at, 1))[0])[:LONGEST_CELL]!r} in column {column!r}"

    time = int(columns["time"][at])
    if time == UNREADABLE:
        return f"{_unreadable(chunk, reading, at)}: {cell('time')}"
    if not EARLIEST <= time <= reading.latest:
        return f"the time is before 2009, or later than it may be by now: {cell('time')}"
    if columns["series"][at] == NO_SYMBOL:
        return f"the symbol is missing or has characters that a symbol cannot have: {cell('symbol')}"
    bar = reading.layout.kind == "bar"
    for name in (*PRICES, "volume") if bar else ("price", "amount"):
        if np.isinf(columns[name][at]):
            return f"a cell is no number, or one that can be read in two ways: {cell(name)}"
    if bar and time % interval_ms(reading.interval or "1s"):
        return f"the time is not the start of a {reading.interval} interval: {cell('time')}"
    try:
        if bar:
            opening, high, low, close = (float(columns[name][at]) for name in PRICES)
            volume = float(columns["volume"][at])
            Bar(
                symbol="X",
                interval=reading.interval or "1s",
                time=time,
                open=opening,
                high=high,
                low=low,
                close=close,
                volume=None if np.isnan(volume) else volume,
            )
        else:
            Tick("X", time, float(columns["price"][at]), float(columns["amount"][at]))
    except ValueError as error:
        return f"{'prices or volume' if bar else 'price or amount'} cannot be: {error}"
    raise AssertionError("a row was refused that its record accepts")

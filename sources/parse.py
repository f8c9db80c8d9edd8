"""A chunk of a file to normalised columns and what cannot be used of it. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sources.cells import array_of, floats
from sources.columns import Array, Columns, take
from sources.layout import BAR_FIELDS, PRICES, Layout
from sources.times import DAY, UNREADABLE, DateOrder, milliseconds
from topics.limits import (
    EARLIEST,
    END_OF_TIME,
    LEAST_AMOUNT,
    LEAST_PRICE,
    MOST_AMOUNT,
    MOST_PRICE,
    MOST_QUOTE,
    MOST_VOLUME,
)
from topics.records import Bar, DeadLetter, Tick
from topics.units import interval_ms

Flags = npt.NDArray[np.bool_]
SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9._:/-]{0,63}")
"""All of a symbol: `fullmatch`."""
SIDES: tuple[str | None, ...] = (None, "buy", "sell")
"""What the numbers of the `side` column mean."""
NO_SYMBOL = -1


@dataclass(frozen=True)
class Chunk:
    """Rows as they stand in a file: `table` a pyarrow table [n], `row` their numbers (the first is 1), `broken` the
    rows that have another number of cells, with their text.
    """

    table: Any
    row: npt.NDArray[np.int64]
    broken: list[tuple[int, str]]


@dataclass(frozen=True)
class Reading:
    """How to read a file: its layout, its interval (None for trades), how dates are written, and the numbers of its
    symbols.

    `symbol` turns a cell of the symbol column (or the layout's symbol) into a symbol, `number` a symbol into its
    series. A row that is later than `latest` (epoch ms) is impossible.
    """

    name: str
    layout: Layout
    interval: str | None
    order: DateOrder
    symbol: Callable[[str], str]
    number: Callable[[str], int]
    latest: int = END_OF_TIME


@dataclass(frozen=True)
class Parsed:
    """What a chunk held: good rows in the file's order, impossible ones, and how many rows had no prices at all."""

    columns: Columns
    dead: list[DeadLetter]
    empty: int


def parse(chunk: Chunk, reading: Reading) -> Parsed:
    """Read a chunk. Each of its rows is either good, dead or empty."""
    layout = reading.layout
    columns = {"row": chunk.row, "time": times(chunk, layout, reading.order), "series": _series(chunk, reading)}
    columns |= _bars(chunk, layout) if layout.kind == "bar" else _ticks(chunk, layout)
    empty = _nothing_traded(columns) if layout.kind == "bar" else np.zeros(len(chunk.row), dtype=bool)
    possible = _possible_bars(columns, reading) if layout.kind == "bar" else _possible_ticks(columns)
    possible &= (columns["time"] >= EARLIEST) & (columns["time"] <= reading.latest)
    possible &= (columns["series"] != NO_SYMBOL) & ~empty
    dead = [_dead(chunk, columns, reading, int(at)) for at in np.flatnonzero(~possible & ~empty)]
    dead += [
        DeadLetter(reading.name, 0, row, "the row has another number of cells", text.encode(), 0)
        for row, text in chunk.broken
    ]
    return Parsed(columns if possible.all() else take(columns, possible), dead, int(empty.sum()))


def times(chunk: Chunk, layout: Layout, order: DateOrder) -> npt.NDArray[np.int64]:
    """Return the chunk's times [n]."""
    time = milliseconds(chunk.table.column(layout.columns["time"]), order)
    return np.where(time == UNREADABLE, time, time - time % DAY) if layout.day else time


def _series(chunk: Chunk, reading: Reading) -> Array:
    """Return the number of each row's series, `NO_SYMBOL` where its symbol is none."""
    name = reading.layout.columns.get("symbol")
    if name is None:
        return np.full(len(chunk.row), reading.number(reading.symbol(reading.layout.symbol or "")), dtype=np.int32)
    encoded = array_of(chunk.table.column(name)).cast("string").dictionary_encode()
    symbols = [reading.symbol(cell) for cell in encoded.dictionary.to_pylist()]
    numbers = [reading.number(symbol) if SYMBOL.fullmatch(symbol) else NO_SYMBOL for symbol in symbols]
    return _looked_up(encoded, np.array([*numbers, NO_SYMBOL], dtype=np.int32))


def _looked_up(encoded: Any, values: Array) -> Array:
    """Return the value of each cell of a dictionary-encoded column; the last value is that of empty cells."""
    found: Array = values[encoded.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)]
    return found


def _bars(chunk: Chunk, layout: Layout) -> Columns:
    def column(name: str) -> Array:
        named = layout.columns.get(name)
        return np.full(len(chunk.row), np.nan) if named is None else floats(chunk.table.column(named))

    columns = {name: column(name) for name in BAR_FIELDS}
    if "vwap" in layout.columns:
        with np.errstate(invalid="ignore"):
            columns["quote_volume"] = column("vwap") * columns["volume"]
    for name, most in (("trades", 2.0**53), ("buy_volume", MOST_VOLUME), ("quote_volume", MOST_QUOTE)):
        with np.errstate(invalid="ignore"):
            within = (columns[name] >= 0) & (columns[name] <= most)
        columns[name] = np.where(within, columns[name], np.nan)
    return columns


def _nothing_traded(columns: Columns) -> Flags:
    empty: Flags = np.isnan(columns["open"])
    for name in PRICES[1:]:
        empty = empty & np.isnan(columns[name])
    return empty


def _possible_bars(columns: Columns, reading: Reading) -> Flags:
    """Tell which rows `Bar` would accept, all at once."""
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
    columns: Columns = {name: floats(chunk.table.column(layout.columns[name])) for name in ("price", "amount")}
    columns["side"] = _sides(chunk, layout)
    named = layout.columns.get("trade_id")
    columns["trade_id"] = np.full(n, None, dtype=object)
    if named is not None:
        columns["trade_id"] = array_of(chunk.table.column(named)).cast("string").to_numpy(zero_copy_only=False)
    return columns


def _sides(chunk: Chunk, layout: Layout) -> Array:
    """Return the taker's side as places in `SIDES`; where the buyer was the maker, the taker sold."""
    for field, meanings in (("side", {"buy": 1, "b": 1, "sell": 2, "s": 2}), ("buyer_maker", {"true": 2, "false": 1})):
        named = layout.columns.get(field)
        if named is not None:
            encoded = array_of(chunk.table.column(named)).cast("string").dictionary_encode()
            numbers = [meanings.get(cell.strip().lower(), 0) for cell in encoded.dictionary.to_pylist()]
            return _looked_up(encoded, np.array([*numbers, 0], dtype=np.int8))
    return np.zeros(len(chunk.row), dtype=np.int8)


def _possible_ticks(columns: Columns) -> Flags:
    """Tell which rows `Tick` would accept, all at once."""
    possible: Flags = np.ones(len(columns["time"]), dtype=bool)
    for name, least, most in (("price", LEAST_PRICE, MOST_PRICE), ("amount", LEAST_AMOUNT, MOST_AMOUNT)):
        with np.errstate(invalid="ignore"):
            possible &= (columns[name] >= least) & (columns[name] <= most)
    return possible


def _dead(chunk: Chunk, columns: Columns, reading: Reading, at: int) -> DeadLetter:
    cells = ["" if cell is None else str(cell) for cell in chunk.table.slice(at, 1).to_pylist()[0].values()]
    time = int(columns["time"][at])
    value = ",".join(cells).encode()
    return DeadLetter(
        reading.name, 0, int(chunk.row[at]), _reason(columns, reading, at), value, min(max(time, 0), END_OF_TIME - 1)
    )


def _reason(columns: Columns, reading: Reading, at: int) -> str:
    """Return why a row is impossible, in the words of the record that refuses it."""
    if columns["time"][at] == UNREADABLE:
        return "the time cannot be read"
    if not EARLIEST <= columns["time"][at] <= reading.latest:
        return "the time is before 2009, or later than it may be by now"
    if columns["series"][at] == NO_SYMBOL:
        return "the symbol is missing or has characters that a symbol cannot have"
    time = int(columns["time"][at])
    try:
        if reading.layout.kind == "bar":
            opening, high, low, close = (float(columns[name][at]) for name in PRICES)
            volume = float(columns["volume"][at])
            Bar("X", reading.interval or "1s", time, opening, high, low, close, None if np.isnan(volume) else volume)
        else:
            Tick("X", time, float(columns["price"][at]), float(columns["amount"][at]))
    except ValueError as error:
        return str(error)
    raise AssertionError("a row was refused that its record accepts")

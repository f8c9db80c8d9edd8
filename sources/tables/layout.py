"""The mapping of a file's columns to a record's fields, and a file's properties before it is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from topics.markets import canonical

Kind = Literal["bar", "tick"]

PRICES = ("open", "high", "low", "close")
BAR_FIELDS = (*PRICES, "volume", "trades", "buy_volume", "quote_volume")
TICK_FIELDS = ("price", "amount", "side", "trade_id")


@dataclass(frozen=True, kw_only=True)
class Head:
    """The beginning of a table: name, header where it has one, and the first rows as text (None is an empty cell).

    `symbol` is what its header tells beside the columns, `notes` are the lines above its rows that are none of it.
    `beside` has, where several symbols stand side by side, the columns of each: what they are called for it, and where.
    `delimiter` parts the cells of a text.
    """

    name: str
    header: tuple[str, ...] | None
    rows: tuple[tuple[str | None, ...], ...]
    symbol: str | None = None
    notes: tuple[str, ...] = ()
    beside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    delimiter: str = ""

    def of(self, symbol: str) -> "Head":
        """Return the beginning of the table of one of the symbols that stand side by side."""
        columns = self.beside[symbol]
        places = [self.names.index(name) for name in columns.values()]
        rows = tuple(tuple(row[place] for place in places) for row in self.rows)
        return Head(name=self.name, header=tuple(columns), rows=rows, symbol=symbol, notes=self.notes)

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.header or (self.rows[0] if self.rows else ()))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns: their places where there is no header."""
        return self.header or tuple(str(place) for place in range(self.width))

    def find(self, *names: str) -> str | None:
        """Return the header's own spelling of the first of these lower-case names that it has; its own, if it has that.

        Hyperliquid's T is not its t.
        """
        return next((self._spelling[name] for name in names if name in self._spelling), None)

    @cached_property
    def _spelling(self) -> dict[str, str]:
        header = self.header or ()
        return {name.strip().lower(): name for name in reversed(header)} | {name: name for name in header}

    def has(self, *names: str) -> bool:
        """Return whether the header has all these lower-case names."""
        return all(self.find(name) is not None for name in names)

    def column(self, place: int) -> list[str | None]:
        """Return the first rows' cells at that place."""
        return [row[place] if place < len(row) else None for row in self.rows]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where each field of the record is found.

    `columns` maps a field (`time`, `symbol`, those of `BAR_FIELDS` or `TICK_FIELDS`) to a column's name. Others are
    `clock`, the time of day where `time` has the day alone, and `minute` beside its hour; `vwap`, from which the
    quote volume follows; `buyer_maker`, `maker_side` and `sign` (1 or -1), from which the side follows; `finished`,
    which is 0 or false in the row of a bar that goes on, and `goes_on`, which is 1 or true there. `names` names the
    columns of a table without a header. `day` says that a time is the close of its day, whose start is meant;
    `signed` that a sale has a negative amount; `ends` that a time is the end of its bar; `continental` that a point
    parts thousands. An amount is so many times `unit`, in base currency, where `inverse` in quote currency.
    `midnight` is the day (epoch ms) since whose start the times are counted in ms, `zone` that in which its writer
    writes times without one. `left_out` are unknown columns, `remarks` are reported too.
    """

    kind: Kind
    columns: Mapping[str, str]
    names: tuple[str, ...] = ()
    symbol: str | None = None
    day: bool = False
    signed: bool = False
    unit: float = 1.0
    inverse: bool = False
    ends: bool = False
    midnight: int | None = None
    zone: str | None = None
    continental: bool = False
    left_out: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def columns_of(head: Head, fields: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return, for each field that the header has under one of the given lower-case names, its own spelling of it."""
    values = {name: head.find(*names) for name, names in fields.items()}
    return {name: column for name, column in values.items() if column is not None}


def _as_written(_: Path) -> Callable[[str], str]:
    return canonical


@dataclass(frozen=True, kw_only=True)
class Source:
    """A kind of file: `columns` describes its header; `recognise` is pure, and returns None for other files.

    `short` is its name in options. `named_layout` is called if the user names this kind: it returns the layout, or why
    the table does not fit; without it `recognise` is used. `symbols` returns, for the file's folder, the function from
    a cell of the symbol column to a symbol.
    """

    name: str
    short: str
    columns: str
    recognise: Callable[[Head], Layout | None]
    symbols: Callable[[Path], Callable[[str], str]] = field(default=_as_written)
    named_layout: Callable[[Head], Layout | str] | None = None

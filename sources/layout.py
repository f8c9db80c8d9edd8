"""How the columns of a file become the fields of a record, and what is known of a file before it is read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["bar", "tick"]

PRICES = ("open", "high", "low", "close")
BAR_FIELDS = (*PRICES, "volume", "trades", "buy_volume", "quote_volume")
TICK_FIELDS = ("price", "amount", "side", "trade_id")


_PAIR = re.compile(r"[A-Z0-9]+-[A-Z]+")
_KRAKEN = re.compile(r"X([A-Z]{3})Z([A-Z]{3})")


def joined(text: str) -> str:
    """Return a pair as we write it: upper case, without what parts base and quote, without the letters that Polygon and
    Kraken put before a currency.

    >>> joined("btc/usdt"), joined("BTC-USDT"), joined("X:BTCUSD"), joined("XXBTZUSD"), joined("BTC-USDT-SWAP")
    ('BTCUSDT', 'BTCUSDT', 'BTCUSD', 'XBTUSD', 'BTC-USDT-SWAP')
    """
    symbol = text.strip().upper().removeprefix("X:").replace("/", "").replace("_", "")
    if found := _KRAKEN.fullmatch(symbol):
        return f"{found[1]}{found[2]}"
    return symbol.replace("-", "") if _PAIR.fullmatch(symbol) else symbol


@dataclass(frozen=True)
class Head:
    """The beginning of a table: name, header where it has one, and the first rows as text (None is an empty cell).

    `symbol` is what its header tells beside the columns, `notes` are the lines above its rows that are none of it.
    """

    name: str
    header: tuple[str, ...] | None
    rows: tuple[tuple[str | None, ...], ...]
    symbol: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.header or (self.rows[0] if self.rows else ()))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns: their places where there is no header."""
        return self.header or tuple(str(place) for place in range(self.width))

    def find(self, *names: str) -> str | None:
        """Return the header's own spelling of the first of these lower-case names that it has."""
        spelling = {name.strip().lower(): name for name in reversed(self.header or ())}
        return next((spelling[name] for name in names if name in spelling), None)

    def has(self, *names: str) -> bool:
        """Tell whether the header has all these lower-case names."""
        return all(self.find(name) is not None for name in names)

    def column(self, place: int) -> list[str | None]:
        """Return the first rows' cells at that place."""
        return [row[place] if place < len(row) else None for row in self.rows]


@dataclass(frozen=True)
class Layout:
    """Where each field of the record is found.

    `columns` maps a field (`time`, `symbol`, those of `BAR_FIELDS` or `TICK_FIELDS`) to a column's name. Others are
    `clock`, the time of day where `time` has the day alone; `vwap`, from which the quote volume follows; `buyer_maker`,
    from which the side follows; `finished`, which is 0 or false in the row of a bar that goes on. `names` names the
    columns of a table without a header. `day` says that a time is the close of its day, whose start is meant; `signed`
    that a sale has a negative amount. `left_out` are columns that nobody knows, `remarks` what else is to be told.
    """

    kind: Kind
    columns: Mapping[str, str]
    names: tuple[str, ...] = ()
    symbol: str | None = None
    day: bool = False
    signed: bool = False
    left_out: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def columns_of(head: Head, fields: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return, for each field that the header has under one of the given lower-case names, its own spelling of it."""
    found = {name: head.find(*names) for name, names in fields.items()}
    return {name: column for name, column in found.items() if column is not None}


def _as_written(_: Path) -> Callable[[str], str]:
    return joined


@dataclass(frozen=True)
class Source:
    """A kind of file: `columns` is what its header looks like, for people; `recognise` is pure, and None is a no.

    `symbols` gives, for the folder of the file, what turns a cell of the symbol column into a symbol.
    """

    name: str
    columns: str
    recognise: Callable[[Head], Layout | None]
    symbols: Callable[[Path], Callable[[str], str]] = field(default=_as_written)

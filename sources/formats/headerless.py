"""Bars without a header, in the column orders of venues, recognised by the first rows and the file's name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sources.formats.column_roles import is_time
from sources.markets.base_volume import LOTS, price_between
from sources.markets.file_name import symbol_of
from sources.tables.cells import is_ohlc, number
from sources.tables.column_orders import without_header
from sources.tables.layout import PRICES, Head, Layout
from sources.times.time_of_day import is_clock


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order of columns; `venue` is a word in the names of its files, `ends` says that a time is its bar's end,
    `named` that only a file with that word in its name is taken for one.
    """

    source: str
    short: str
    venue: str
    columns: tuple[str, ...]
    ends: bool = False
    named: bool = False

    def against(self, head: Head) -> str | None:
        """Return why the first rows do not fit this order, None if they do."""
        if head.header is not None:
            return "it has a header"
        if head.width != len(self.columns):
            return f"its rows have {head.width} columns"
        opening, high, low, close = (self.columns.index(name) for name in PRICES)
        if not is_ohlc(head, (opening, high, low, close)):
            return (
                f"columns {opening + 1}, {high + 1}, {low + 1} and {close + 1} are not always open, high, low and close"
            )
        for name, is_one, what in _EACH:
            for place in self._places(name):
                cells = head.column(place)
                if not is_one(cells):
                    return f"column {place + 1} holds {_shown(cells)}, which is no {what}"
        return self._against_volumes(head, low, high)

    def _against_volumes(self, head: Head, low: int, high: int) -> str | None:
        """Return which column cannot be the quote volume, an average price, or the time of the close."""
        for name, close in (("close_time", True), ("usdt_volume", False)):
            for place in self._places(name):
                if _follows(head, place) is not close:
                    return f"column {place + 1} is {'no' if close else 'the'} time of the close"
        for lots, quote in zip(self._places("lots"), self._places("turnover"), strict=True):
            if not any(price_between(head, lots, quote, low, high, size) for size in LOTS):
                return f"column {quote + 1} is not what lots of a power of ten in column {lots + 1} are worth"
        volumes = [*self._places("volume"), *self._places("volume_currency")]
        for quote in self._places("quote_volume"):
            if not any(price_between(head, volume, quote, low, high) for volume in volumes):
                return f"column {quote + 1} is no volume in the quote currency: by it no price is between low and high"
        for place in self._places("vwap"):
            prices = [tuple(number(row[at]) or 0.0 for at in (place, low, high)) for row in head.rows]
            beside = [price for price, least, most in prices if price and not 0.999 * least <= price <= 1.001 * most]
            if 2 * len(beside) > len(prices):
                return f"column {place + 1} is not between low and high, as an average price is"
        return None

    def _places(self, name: str) -> list[int]:
        return [place for place, column in enumerate(self.columns) if column == name]


def _follows(head: Head, place: int) -> bool:
    """Return whether a column is a little later than the first, as the close is: in the same unit, and no volume."""
    pairs = [(number(row[0]) or 0.0, number(row[place]) or 0.0) for row in head.rows]
    return all(opened < closed < 1.01 * opened for opened, closed in pairs)


def _is_count(cells: Sequence[str | None]) -> bool:
    values = [number(cell) for cell in cells]
    return all(value is not None and value >= 0 and value.is_integer() for value in values)


def _are_numbers(cells: Sequence[str | None]) -> bool:
    return all(cell is None or number(cell) is not None for cell in cells)


def flagged(order: Order, head: Head) -> str | None:
    """Return which volume is rather a mark of bars that are over: OKX's mark prices have one behind the close."""
    for place in (order.columns.index(name) for name in ("volume",) if name in order.columns):
        cells = [cell or "" for cell in head.column(place)]
        if place == len(order.columns) - 1 and "1" in cells and set(cells) <= {"0", "1"}:
            return f"column {place + 1} holds only 0 and 1, like a flag of closed bars, and is no volume"
    return None


def _is_flag(cells: Sequence[str | None]) -> bool:
    return all((cell or "").strip().lower() in ("0", "1", "true", "false") for cell in cells)


def _shown(cells: Sequence[str | None]) -> str:
    return repr((next(iter(cells), None) or "")[:40])


_EACH = (
    ("time", is_time, "time"),
    ("clock", is_clock, "time of day"),
    ("trades", _is_count, "number of trades"),
    ("finished", _is_flag, "mark of a bar that is over"),
    ("volume", _are_numbers, "volume"),
    ("quote_volume", _are_numbers, "quote volume"),
)
_OHLCV = ("time", *PRICES, "volume")
_OCHLV = ("time", "open", "close", "high", "low", "volume")
ORDERS = (
    Order(source="OHLCV without a header", short="ohlcv", venue="ccxt", columns=_OHLCV),
    Order(source="Kraken OHLCVT", short="kraken-ohlcvt", venue="kraken", columns=(*_OHLCV, "trades")),
    Order(source="Bybit klines", short="bybit-klines", venue="bybit", columns=(*_OHLCV, "quote_volume")),
    Order(
        source="Kraken OHLC (REST)",
        short="kraken-ohlc",
        venue="kraken",
        columns=("time", *PRICES, "vwap", "volume", "trades"),
    ),
    Order(
        source="OKX candles",
        short="okx-candles",
        venue="okx",
        columns=(*_OHLCV, "volume_currency", "quote_volume", "finished"),
    ),
    Order(
        source="Coinbase candles",
        short="coinbase-candles",
        venue="coinbase",
        columns=("time", "low", "high", "open", "close", "volume"),
    ),
    Order(source="Bitfinex candles", short="bitfinex-candles", venue="bitfinex", columns=_OCHLV),
    Order(source="KuCoin candles", short="kucoin-candles", venue="kucoin", columns=(*_OCHLV, "quote_volume")),
    Order(
        source="KuCoin futures klines",
        short="kucoin-futures",
        venue="kucoin",
        columns=(*_OHLCV[:-1], "lots", "turnover"),
        named=True,
    ),
    Order(
        source="Gate candles",
        short="gate-candles",
        venue="gate",
        columns=("time", "volume", "close", "high", "low", "open"),
    ),
    Order(
        source="Gate candles (REST)",
        short="gate-rest",
        venue="gate",
        columns=("time", "quote_volume", "close", "high", "low", "open", "volume", "finished"),
    ),
    Order(
        source="Bitget candles",
        short="bitget-candles",
        venue="bitget",
        columns=(*_OHLCV, "usdt_volume", "quote_volume"),
    ),
    Order(source="MEXC klines", short="mexc-klines", venue="mexc", columns=(*_OHLCV, "close_time", "quote_volume")),
    Order(
        source="MetaTrader without a header", short="metatrader", venue="dat_mt", columns=("time", "clock", *_OHLCV[1:])
    ),
    Order(source="OHLC without a header", short="ohlc", venue="ccxt", columns=_OHLCV[:-1]),
    Order(
        source="CoinGecko OHLC, stamped with the end",
        short="coingecko-ohlc",
        venue="coingecko",
        columns=_OHLCV[:-1],
        ends=True,
    ),
)
FIELDS = frozenset({"time", "clock", *PRICES, "volume", "trades", "quote_volume", "vwap", "finished"})
_FUTURES = {"lots": "volume", "turnover": "quote_volume"}
"""Columns of contracts, whose size the prices prove."""
_FLAT = ("ohlcv", "coinbase-candles", "bitfinex-candles")
"""Orders that give the same bars if several fit: with open, high, low and close equal, or in equal pairs."""
_HISTDATA = re.compile(r"DAT_(ASCII|MT|NT|XLSX)_", re.IGNORECASE)


def recognise(order: Order, head: Head) -> Layout | None:
    """Recognise an order, if no other fits or the file's name selects this one."""
    if order.against(head) is not None or flagged(order, head) is not None:
        return None
    return layout(order, head) if chosen(head) is order else None


def layout(order: Order, head: Head) -> Layout:
    """Return the layout of a table in an order."""
    columns = {_FUTURES.get(name, name): name for name in order.columns if name in FIELDS | _FUTURES.keys()}
    if "volume_currency" in order.columns and not _is_base(order, head, "volume"):
        columns["volume"] = "volume_currency"  # of a swap, whose first volume counts contracts
    histdata = _HISTDATA.search(head.name) is not None
    return Layout(
        kind="bar",
        columns=columns,
        names=order.columns,
        symbol=head.symbol or symbol_of(head.name),
        ends=order.ends,
        zone="-05:00" if histdata else None,
        remarks=("HistData writes its times in EST all the year",) if histdata else (),
    )


def _is_base(order: Order, head: Head, volume: str) -> bool:
    """Return whether a volume is of the base currency: the price that the quote volume over it implies tells."""
    return price_between(head, *(order.columns.index(name) for name in (volume, "quote_volume", "low", "high")))


def named_layout(order: Order, head: Head) -> Layout | str:
    """Return the layout of a table with an order named by the user, or why it does not fit."""
    return order.against(head) or layout(order, head)


def fitting(head: Head) -> list[Order]:
    """Return the orders that fit the first rows: those selected by the file's name, if any."""
    orders = [order for order in ORDERS if not order.named or order.venue in head.name.lower()]
    results = [order for order in orders if order.against(head) is None]
    return [order for order in results if order.venue in head.name.lower()] or results


def near(head: Head) -> list[tuple[str, str]]:
    """Return the orders with the same number of columns, and why the rows fit none of them; those selected by the name
    first."""
    same = [order for order in ORDERS if len(order.columns) == head.width]
    same.sort(key=lambda order: order.venue not in head.name.lower())
    return [(order.short, order.against(head) or "") for order in same]


def doubts(head: Head) -> list[str]:
    """Return why the orders that fit the first rows are uncertain."""
    return [why for order in fitting(head) if (why := flagged(order, head)) is not None]


def chosen(head: Head) -> Order | None:
    """Return the order determined by rows and name; None if several are equally likely."""
    orders = fitting(head)
    return orders[0] if len(orders) == 1 or (orders and all(order.short in _FLAT for order in orders)) else None


SOURCES = without_header(ORDERS, recognise, named_layout)

"""Bars without a header, in the orders in which venues write them. The prices of the first rows tell which it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sources.cells import is_epoch, is_ohlc, number
from sources.layout import PRICES, Head, Layout, Source
from sources.names import symbol_of


@dataclass(frozen=True)
class Order:
    """An order of columns; `venue` is a word in the names of its files."""

    source: str
    venue: str
    columns: tuple[str, ...]

    def fits(self, head: Head) -> bool:
        """Tell whether the first rows can be in this order."""
        if head.width != len(self.columns) or not is_epoch(head.column(0)):
            return False
        opening, high, low, close = (self.columns.index(name) for name in PRICES)
        if not is_ohlc(head, (opening, high, low, close)):
            return False
        wholes = [place for place, name in enumerate(self.columns) if name in ("trades", "finished")]
        return all(_whole(cell) for place in wholes for cell in head.column(place))


def _whole(cell: str | None) -> bool:
    value = number(cell)
    return value is not None and value >= 0 and value == int(value)


_OHLCV = ("time", *PRICES, "volume")
ORDERS = (
    Order("OHLCV without a header", "ccxt", _OHLCV),
    Order("Kraken OHLCVT", "kraken", (*_OHLCV, "trades")),
    Order("Bybit klines", "bybit", (*_OHLCV, "quote_volume")),
    Order("Kraken OHLC (REST)", "kraken", ("time", *PRICES, "vwap", "volume", "trades")),
    Order("OKX candles", "okx", (*_OHLCV, "volume_currency", "quote_volume", "finished")),
    Order("Coinbase candles", "coinbase", ("time", "low", "high", "open", "close", "volume")),
    Order("Bitfinex candles", "bitfinex", ("time", "open", "close", "high", "low", "volume")),
    Order("KuCoin candles", "kucoin", ("time", "open", "close", "high", "low", "volume", "quote_volume")),
    Order("Gate candles", "gate", ("time", "volume", "close", "high", "low", "open")),
)
"""The first is what tools write; it is preferred where another fits too, which only flat prices allow."""
FIELDS = frozenset({"time", *PRICES, "volume", "trades", "quote_volume", "vwap", "finished"})


def recognise(order: Order, head: Head) -> Layout | None:
    """Recognise an order, where no other fits as well or the file's name tells that it is this one."""
    if head.header is not None or chosen(head) is not order:
        return None
    columns = {name: name for name in order.columns if name in FIELDS}
    return Layout("bar", columns, order.columns, head.symbol or symbol_of(head.name))


def chosen(head: Head) -> Order | None:
    """Return the order that the rows and the name tell; None where several are as likely."""
    fitting = [order for order in ORDERS if order.fits(head)]
    named = [order for order in fitting if order.venue in head.name.lower()]
    return _only(named) or _only(fitting) or (fitting[0] if fitting and fitting[0] in (ORDERS[0], ORDERS[1]) else None)


def _only(orders: Sequence[Order]) -> Order | None:
    return orders[0] if len(orders) == 1 else None


SOURCES = tuple(
    Source(order.source, f"(no header) {','.join(order.columns)}", partial(recognise, order)) for order in ORDERS
)

"""Plain OHLCV tables, and the 400+ pairs at 1-minute set, whose columns stand in another order."""

from sources.cells import is_epoch, is_ohlc
from sources.layout import PRICES, Head, Layout, Source, columns_of
from sources.names import symbol_of

_TIMES = ("unix", "timestamp", "unix timestamp", "open_time", "open time", "time", "datetime", "date")
_FIELDS = {name: (name, f"{name} price", f"{name}_price") for name in PRICES} | {
    "time": _TIMES,
    "symbol": ("symbol", "pair", "ticker"),
    "volume": ("volume", "vol", "volume_base", "base_volume"),
    "quote_volume": ("quote_volume", "volume_quote"),
    "trades": ("trades", "count", "trade_count", "tradecount", "number_of_trades"),
    "buy_volume": ("buy_volume", "taker_buy_volume"),
}
_UNNAMED = ("time", *PRICES, "volume")


def recognise_pairs(head: Head) -> Layout | None:
    """Recognise time,open,close,high,low,volume (close before high): the pair is the file's name."""
    if [name.strip().lower() for name in head.header or ()] != ["time", "open", "close", "high", "low", "volume"]:
        return None
    return recognise(head)


def recognise(head: Head) -> Layout | None:
    """Recognise a header with a time, open, high, low and close in any order and case; columns of other names are left
    out.

    Without a header: six columns that begin with a unix time and whose first rows all have low <= open, close <=
    high.
    """
    if head.header is None:
        if head.width != len(_UNNAMED) or not is_epoch(head.column(0)) or not is_ohlc(head, (1, 2, 3, 4)):
            return None
        return Layout("bar", {name: name for name in _UNNAMED}, _UNNAMED, symbol_of(head.name))
    columns = columns_of(head, _FIELDS)
    if not columns.keys() >= {"time", *PRICES}:
        return None
    return Layout("bar", columns, symbol=None if "symbol" in columns else symbol_of(head.name))


PAIRS = Source("400+ pairs at 1-minute", "time,open,close,high,low,volume", recognise_pairs)
SOURCE = Source("plain OHLCV", "time (or timestamp, date, ...),open,high,low,close[,volume]", recognise)

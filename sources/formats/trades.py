"""Trade lists: a row a trade."""

from sources.cells import is_epoch
from sources.layout import Head, Layout, Source, columns_of
from sources.names import symbol_of

_FIELDS = {
    "time": ("transact_time", "timestamp", "time", "unix", "datetime", "date"),
    "symbol": ("symbol", "pair"),
    "price": ("price", "p"),
    "amount": ("amount", "quantity", "qty", "size", "volume", "q"),
    "side": ("side", "taker_side"),
    "buyer_maker": ("is_buyer_maker", "buyer_maker", "isbuyermaker"),
    "trade_id": ("agg_trade_id", "trade_id", "tradeid", "tid", "id"),
}
_FREQTRADE = ("time", "trade_id", "type", "side", "price", "amount", "cost")
_AGGREGATE = ("trade_id", "price", "amount", "first_trade_id", "last_trade_id", "time", "buyer_maker", "best_match")
_SINGLE = ("trade_id", "price", "amount", "quote_amount", "time", "buyer_maker", "best_match")
_BOOLEANS = ("true", "false")


def recognise(head: Head) -> Layout | None:
    """Recognise a header with a time, a price and an amount and no open; or the unnamed layouts below."""
    if head.header is None:
        names = _unnamed(head)
        used = [name for name in names if name in _FIELDS]
        return Layout("tick", {name: name for name in used}, names, symbol_of(head.name)) if names else None
    columns = columns_of(head, _FIELDS)
    if not columns.keys() >= {"time", "price", "amount"} or head.has("open"):
        return None
    return Layout("tick", columns, symbol=None if "symbol" in columns else symbol_of(head.name))


def _unnamed(head: Head) -> tuple[str, ...]:
    """Return the column names: bitcoincharts and Kraken (3 columns), freqtrade (7), Binance trades and aggTrades (6 to
    8).
    """
    if head.width == 3 and is_epoch(head.column(0)):
        return ("time", "price", "amount")
    if head.width == len(_FREQTRADE) and is_epoch(head.column(0)) and _all_in(head.column(3), ("buy", "sell")):
        return _FREQTRADE
    if head.width in (7, 8) and is_epoch(head.column(5)) and _all_in(head.column(6), _BOOLEANS):
        return _AGGREGATE[: head.width]
    if head.width in (6, 7) and is_epoch(head.column(4)) and _all_in(head.column(5), _BOOLEANS):
        return _SINGLE[: head.width]
    return ()


def _all_in(cells: list[str | None], values: tuple[str, ...]) -> bool:
    return all((cell or "").strip().lower() in values for cell in cells)


SOURCE = Source("trade list", "time,price,amount[,side][,trade_id] (or time,price,amount without a header)", recognise)

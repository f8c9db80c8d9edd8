"""Trade lists: a row a trade. All columns must be known, for a table of quotes or of an order book looks much alike."""

from sources.cells import is_epoch, number
from sources.formats.timed import time_of, unused
from sources.layout import Head, Layout, Source, columns_of
from sources.names import symbol_of

TIMES = (
    *("transact_time", "timestamp", "trade_time", "created_time", "time", "unix", "datetime", "date", "t", "ts"),
    *("ts_event", "executed_at", "__index_level_0__", "index", ""),
)
NEEDED = ("time", "price", "amount")
FIELDS = {
    "symbol": ("symbol", "pair", "instrument_name", "instrument", "instid", "market"),
    "price": ("price", "p"),
    "amount": ("homenotional", "amount", "quantity", "qty", "size", "volume", "q"),
    "side": ("side", "taker_side", "aggressor_side", "direction"),
    "buyer_maker": ("is_buyer_maker", "buyer_maker", "isbuyermaker", "m"),
    "trade_id": ("agg_trade_id", "trade_id", "tradeid", "tid", "id", "trdmatchid", "a"),
}
LEFT_OUT = frozenset(
    {"first_trade_id", "last_trade_id", "best_match", "is_best_match", "isbestmatch", "type", "cost", "order"}
    | {"quote_quantity", "quote_qty", "quoteqty", "quote_amount", "tickdirection", "grossvalue", "foreignnotional"}
    | {"rpi", "size", "exchange", "venue", "local_timestamp", "datetime", "takerormaker", "fee", "fees", "info", "f"}
    | {"l", "ts_init", "ts_event", "liquidation", "millisecond", "nanosecond", "misc", "index", "__index_level_0__"}
    | {""}
)
"""Columns that are known and not needed."""
_FREQTRADE = ("time", "trade_id", "type", "side", "price", "amount", "cost")
_AGGREGATE = ("trade_id", "price", "amount", "first_trade_id", "last_trade_id", "time", "buyer_maker", "best_match")
_SINGLE = ("trade_id", "price", "amount", "quote_amount", "time", "buyer_maker", "best_match")
_GATE = ("time", "trade_id", "price", "amount", "side")
_USED = frozenset({"time", *FIELDS})
_BOOLEANS = ("true", "false")


def recognise(head: Head) -> Layout | None:
    """Recognise a header with a time, a price and an amount, all of whose columns are known; or the unnamed layouts."""
    if head.header is None:
        names = _unnamed(head)
        used = [name for name in names if name in _USED]
        symbol = head.symbol or symbol_of(head.name)
        return Layout("tick", {name: name for name in used}, names, symbol) if names else None
    columns = columns_of(head, FIELDS) | time_of(head, TIMES)
    if not columns.keys() >= set(NEEDED) or unused(head, columns, LEFT_OUT):
        return None
    signed = "side" not in columns and "buyer_maker" not in columns and _any_negative(head, columns["amount"])
    symbol = None if "symbol" in columns else head.symbol or symbol_of(head.name)
    return Layout("tick", columns, symbol=symbol, signed=signed)


def unknown(head: Head) -> tuple[str, ...]:
    """Return the columns that a list of trades has no use for."""
    return unused(head, columns_of(head, FIELDS) | time_of(head, TIMES), LEFT_OUT)


def _any_negative(head: Head, column: str) -> bool:
    cells = head.column(head.names.index(column))
    return any((number(cell) or 0.0) < 0 for cell in cells)


def _unnamed(head: Head) -> tuple[str, ...]:
    """Return the column names: bitcoincharts and Kraken (3 columns), Gate (5), freqtrade (7), Binance trades and
    aggTrades (6 to 8).
    """
    if head.width == 3 and is_epoch(head.column(0)):
        return ("time", "price", "amount")
    if head.width == len(_GATE) and is_epoch(head.column(0)) and _all_in(head.column(4), ("1", "2")):
        return _GATE
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

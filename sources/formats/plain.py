"""Tables with a header of open, high, low and close in any order and case: what most people and tools write."""

from sources.formats.timed import time_of, unused
from sources.layout import PRICES, Head, Layout, Source, columns_of
from sources.names import symbol_of

TIMES = (
    *("unix", "timeopen", "open_time", "open time", "opentime", "window_start", "period_start", "start_time"),
    *("timestamp", "unix timestamp", "timestamp_ms", "ts", "t", "datetime", "date_time", "time", "date"),
    *("dtyyyymmdd", "ts_event", "__index_level_0__", "index", ""),
)
NEEDED = ("time", *PRICES)
FIELDS = {name: (name, f"{name} price", f"{name}_price", f"{name}price", name[0]) for name in PRICES} | {
    "close": ("close", "close price", "close_price", "closeprice", "c", "price", "last"),
    "symbol": ("symbol", "pair", "ticker", "instrument", "instrument_name", "market", "instid"),
    "volume": ("volume", "vol", "volume_base", "base_volume", "volumefrom", "vol.", "v"),
    "quote_volume": (
        *("quote_volume", "volume_quote", "volumeto", "quotevolume", "quote asset volume", "quote_asset_volume"),
        *("qav", "asset_volume", "turnover", "volccyquote", "quote_asset_vol"),
    ),
    "trades": (
        *("trades", "count", "trade_count", "tradecount", "number_of_trades", "number of trades", "num_trades"),
        *("transactions", "n"),
    ),
    "buy_volume": (
        *("buy_volume", "taker_buy_volume", "taker_base", "taker_buy_base", "taker buy base asset volume"),
        *("taker_buy_base_asset_volume", "buy_base_asset_volume", "taker_buy_base_volume"),
    ),
    "finished": ("confirm", "is_closed", "is_final"),
}
LEFT_OUT = frozenset(
    {"close_time", "close time", "closetime", "timeclose", "timehigh", "timelow", "name", "marketcap", "market cap"}
    | {"circulatingsupply", "adj close", "adj_close", "change %", "change", "ignore", "unused", "conversiontype"}
    | {"conversionsymbol", "tickvol", "spread", "vol_", "taker_quote", "taker_buy_quote", "buy_quote_asset_volume"}
    | {"taker_buy_volume_quote", "taker_buy_quote_volume", "taker buy quote asset volume"}
    | {"taker_buy_quote_asset_volume", "vwap", "vw", "weighted_price", "volccy", "exchange", "venue", "interval"}
    | {"group_num", "row_id", "target", "otc", "dividends", "stock splits", "capital gains", "ts_init", "per"}
    | {"openint"}
)
"""Columns that are known and not needed."""
_CLOCKS = ("time", "time of day", "hour")
_PAIRS = ["time", "open", "close", "high", "low", "volume"]
_METATRADER = {"tickvol", "spread"}


def recognise_pairs(head: Head) -> Layout | None:
    """Recognise time,open,close,high,low,volume (close before high): the pair is the file's name."""
    return recognise(head) if [name.strip().lower() for name in head.header or ()] == _PAIRS else None


def recognise(head: Head) -> Layout | None:
    """Recognise a header with a time, open, high, low and close; columns of other names are left out, and told."""
    if head.header is None:
        return None
    columns = columns_of(head, FIELDS)
    time = time_of(head, TIMES, _CLOCKS)
    if not time or not columns.keys() >= set(PRICES):
        return None
    if head.has(*_METATRADER):
        columns = {name: column for name, column in columns.items() if name != "volume"}  # of no exchange
    columns |= time
    symbol = None if "symbol" in columns else head.symbol or symbol_of(head.name)
    return Layout("bar", columns, symbol=symbol, left_out=unused(head, columns, LEFT_OUT | {""}))


PAIRS = Source("400+ pairs at 1-minute", ",".join(_PAIRS), recognise_pairs)
SOURCE = Source("plain OHLCV", "time (or timestamp, date, ...),open,high,low,close[,volume]", recognise)

"""Tables with a header of open, high, low and close in any order and case: the most common format."""

from sources.formats.column_roles import time_of, unused
from sources.markets.file_name import symbol_of, words_of
from sources.tables.closed_bars import GOES_ON, OVER, mark_of
from sources.tables.layout import PRICES, Head, Layout, Source, columns_of
from sources.times.time_of_day import CLOCKS
from topics.currencies import QUOTES
from topics.markets import canonical

TIMES = (
    *("unix", "timeopen", "open_time", "open time", "opentime", "window_start", "period_start", "start_time"),
    *("timestamp", "unix timestamp", "timestamp_ms", "ts", "t", "datetime", "date_time", "time", "date"),
    *("gmt time", "local time", "start", "ticks", "dtyyyymmdd", "ts_event", "__index_level_0__", "index", ""),
)
NEEDED = ("time", *PRICES)
FIELDS = {name: (name, f"{name} price", f"{name}_price", f"{name}price", name[0]) for name in PRICES} | {
    "close": ("close", "close price", "close_price", "closeprice", "c", "price", "last"),
    "symbol": ("symbol", "pair", "ticker", "instrument", "instrument_name", "market", "instid", "product_id", "s"),
    "volume": ("homenotional", "volume", "vol", "volume_base", "base_volume", "volumefrom", "basevolume", "vol.", "v"),
    "quote_volume": (
        *(
            "foreignnotional",
            "quote_volume",
            "volume_quote",
            "volumeto",
            "quotevolume",
            "quote asset volume",
            "quote_asset_volume",
        ),
        *("qav", "asset_volume", "turnover", "volccyquote", "quote_asset_vol"),
        *("quote volume", "usdtvolume", "quoteassetvolume", "cost"),
    ),
    "trades": (
        *(
            "trades",
            "count",
            "trade_count",
            "tradecount",
            "number_of_trades",
            "number of trades",
            "num_trades",
            "n_trades",
        ),
        *("numberoftrades", "transactions", "n", "trade count"),
    ),
    "buy_volume": (
        *("buy_volume", "taker_buy_volume", "taker_base", "taker_buy_base", "taker buy base asset volume"),
        *("taker_buy_base_asset_volume", "buy_base_asset_volume", "taker_buy_base_volume"),
        *("taker base volume", "takerbuybaseassetvolume", "takerbuybasevol"),
    ),
    "finished": OVER,
    "goes_on": GOES_ON,
}
LEFT_OUT = frozenset(
    {"close_time", "close time", "closetime", "timeclose", "timehigh", "timelow", "name", "marketcap", "market cap"}
    | {"circulatingsupply", "adj close", "adj_close", "change %", "change", "ignore", "unused", "conversiontype"}
    | {"conversionsymbol", "tickvol", "spread", "vol_", "taker_quote", "taker_buy_quote", "buy_quote_asset_volume"}
    | {"taker_buy_volume_quote", "taker_buy_quote_volume", "taker buy quote asset volume"}
    | {"taker_buy_quote_asset_volume", "vwap", "vw", "weighted_price", "volccy", "exchange", "venue", "interval"}
    | {"group_num", "row_id", "target", "otc", "dividends", "stock splits", "capital gains", "ts_init", "per"}
    | {"openint", "openinterest", "dividend", "split", "rtype", "publisher_id", "instrument_id", "gmtoffset"}
    | {"adjusted_close", "id", "timeframe", "lastsize", "i", "t", "taker quote volume", "datetime"}
)
"""Columns that are known and not needed."""
_WORTH = ("adj close", "adj_close", "adjclose", "marketcap", "market cap", "market_cap", "close_ratio")
"""Columns of Yahoo and CoinMarketCap."""
WORTH = "volume: unknown, since Yahoo and CoinMarketCap give its value in dollars"
SIDE_OF_PRICES = "prices: the "
_PAIRS = ["time", "open", "close", "high", "low", "volume"]
_TARDIS = ("kind", "opentimestamp", "closetimestamp", "localtimestamp", "timestamp")
"""Columns of the bars that Tardis computes; the first and the last trade of a bar have times of their own."""
_METATRADER = {"tickvol", "spread"}


def recognise_pairs(head: Head) -> Layout | None:
    """Recognise time,open,close,high,low,volume (close before high): the pair is the file's name."""
    return recognise(head) if [name.strip().lower() for name in head.header or ()] == _PAIRS else None


def recognise(head: Head) -> Layout | None:
    """Recognise a header with a time, open, high, low and close; other columns are left out, and reported."""
    if head.header is None:
        return None
    columns = mark_of(head) | columns_of(head, FIELDS)
    time = time_of(head, TIMES, CLOCKS)
    if not time or not columns.keys() >= set(PRICES):
        return None
    if head.has(*_METATRADER):
        columns = {name: column for name, column in columns.items() if name != "volume"}  # of no exchange
    columns |= time
    remarks: tuple[str, ...] = ()
    if ends := head.has(*_TARDIS):
        columns["time"] = head.find("timestamp") or ""
        remarks = ("times: the end of the bars, as Tardis writes them",)
    symbol = None if "symbol" in columns else head.symbol or symbol_of(head.name)
    if "volume" in columns and "quote_volume" not in columns and _is_worth(head):
        worth = columns.pop("volume")
        if not _in_another_currency(symbol):
            columns["quote_volume"] = worth
        remarks = (*remarks, WORTH)
    return Layout(
        kind="bar",
        columns=columns,
        symbol=symbol,
        ends=ends,
        left_out=unused(head, columns, LEFT_OUT | {""}),
        remarks=(*remarks, *(f"{SIDE_OF_PRICES}{side}, as the file's name says" for side in _sides(head))),
    )


def _is_worth(head: Head) -> bool:
    """Return whether Yahoo or CoinMarketCap wrote a table: by a column of theirs, or yfinance's line of tickers."""
    tickers = any(note.lower().startswith(("ticker,", "price,")) for note in head.notes)
    return tickers or any(head.has(name) for name in _WORTH)


def _in_another_currency(symbol: str | None) -> bool:
    """Return whether a pair is not quoted in dollars."""
    pair = canonical(symbol or "")
    return any(pair.endswith(quote) and pair != quote for quote in QUOTES if not quote.startswith("USD"))


def _sides(head: Head) -> list[str]:
    """Return the side of the book whose prices Dukascopy's name of a file says."""
    return [word.lower() for word in words_of(head.name) if word in ("BID", "ASK")]


PAIRS = Source(name="400+ pairs at 1-minute", short="pairs-1m", columns=",".join(_PAIRS), recognise=recognise_pairs)
SOURCE = Source(
    name="plain OHLCV",
    short="plain",
    columns="time (or timestamp, date, ...),open,high,low,close[,volume]",
    recognise=recognise,
)

"""The symbol and the interval that a file's name tells, where no column does."""

import re
from collections.abc import Iterator
from itertools import pairwise

MAJOR = (
    *("USDT", "USDC", "BUSD", "TUSD", "FDUSD", "PYUSD", "USD", "EUR", "GBP", "JPY", "CNY", "KRW", "AUD", "CHF"),
    *("BTC", "XBT", "ETH", "BNB"),
)
MINOR = (
    *(
        "USDD",
        "USDE",
        "USDP",
        "DAI",
        "UST",
        "CAD",
        "TRY",
        "BRL",
        "RUB",
        "UAH",
        "NGN",
        "ZAR",
        "IDR",
        "INR",
        "PLN",
        "RON",
    ),
    *("ARS", "MXN", "COP", "CZK", "SGD", "HKD", "THB", "VND", "PHP", "BIDR", "BVND", "IDRT", "EURI", "TRX", "XRP"),
    *("DOGE", "DOT"),
)
"""Quote currencies in which words of other languages end: they count where the word is in capitals."""
QUOTES = (*MAJOR, *MINOR)
COINS = frozenset(
    {"BTC", "XBT", "ETH", "LTC", "XRP", "BCH", "BNB", "ADA", "DOGE", "EOS", "ETC", "IOTA", "MIOTA", "MKR", "XMR"}
    | {"XLM", "TRX", "SOL", "LINK", "DOT", "AVAX", "FIL", "ATOM", "SHIB", "PEPE", "UNI", "NEAR", "TON", "ARB", "SUI"}
)
_VENUES = re.compile(
    r"(binance(us|coinm|usdm)?|bitstamp|bitfinex|bitflyer|bitget|bitmex|bithumb|bitso|bittrex|btce|btcn|bybit|cexio|"
    r"coinbase(pro)?|coincheck|cryptocom|deribit|ftx|gate(io)?|gdax|gemini|hitbtc|htx|huobi|hyperliquid|itbit|kraken|"
    r"kucoin|lbank|mexc|okx|okex|okcoin|phemex|poloniex|mtgox|upbit|whitebit)",
    re.IGNORECASE,
)
_WORDS = frozenset(
    {"a", "and", "by", "for", "from", "in", "my", "new", "of", "old", "on", "out", "the", "to", "vs", "with"}
    | {"agg", "aggtrades", "bar", "bars", "book", "candle", "candles", "candlesticks", "data", "deals"}
    | {"export", "future", "futures", "hist", "historical", "history", "index", "inverse", "kline", "klines"}
    | {"linear", "mark", "market", "metatrader", "min", "minute", "ohlc", "ohlcv", "perp", "perpetual", "price"}
    | {"prices", "quote", "quotes", "spot", "swap", "tick", "ticks", "trade", "trades", "usdm", "coinm"}
    | {"vision", "download", "raw", "sample", "test", "train", "rest", "full", "all"}
)
"""Words in files' names that are no coin."""
_NAMED = {"minute": "1m", "min": "1m", "hourly": "1h", "hour": "1h", "daily": "1d", "day": "1d", "d": "1d", "h": "1h"}
_INTERVAL = re.compile(r"(\d{1,4})(s|sec|secs|m|min|mins|minutes?|h|hrs?|hours?|d|days?)", re.IGNORECASE)
_METATRADER = re.compile(r"([mhd])(\d{1,4})", re.IGNORECASE)
_ATTACHED = re.compile(r"([A-Za-z]{6,})(1|5|15|30|60|240|1440)")
"""MetaTrader's BTCUSD60."""
_MINUTES = {"1", "3", "5", "15", "30", "60", "120", "240", "720", "1440"}


def symbol_of(name: str) -> str | None:
    """Return the symbol in a file's name, or None where it tells none.

    It is the first pair (a word that ends in a known quote currency, or one followed by one), or a known coin; a word
    that is a bitcoin exchange with a currency means bitcoin. Venues' names, numbers, and words that are no coin are
    passed over.

    >>> symbol_of("BTC_USDT_USDT-1m-futures.feather"), symbol_of("btcusd.csv"), symbol_of("Binance_ETHUSDT_1h.csv.gz")
    ('BTCUSDT', 'BTCUSD', 'ETHUSDT')
    >>> symbol_of("ETH_1HRS_2017-08-20.csv"), symbol_of("bitstampUSD_1-min_data.csv"), symbol_of("train.csv")
    ('ETH', 'BTCUSD', None)
    >>> symbol_of("candles_BTC_USDT_1m.csv"), symbol_of("tBTCUSD.csv"), symbol_of("BINANCE_BTCUSDT, 1.csv")
    ('BTCUSDT', 'BTCUSD', 'BTCUSDT')
    """
    words = list(_words(name))
    for place, word in enumerate(words):
        venue = _VENUES.match(word)
        rest = (word[venue.end() :] if venue else word).upper()
        following = words[place + 1] if place + 1 < len(words) else ""
        if venue and rest in QUOTES:
            return f"BTC{rest}"
        if (venue and not rest) or word.lower() in _WORDS:
            continue
        found = _pair(re.sub(r"^t(?=[A-Z]{6})", "", word), following)
        if found:
            return found
    return None


def interval_of(name: str) -> tuple[str, bool] | None:
    """Return the interval in a file's name, and whether it is named with its unit; None where there is none.

    A number alone is minutes, as Kraken and TradingView write it.

    >>> interval_of("BTCUSDT-1m-2024-01.csv"), interval_of("XBTUSD_60.csv"), interval_of("BTCUSD_M15.csv")
    (('1m', True), ('1h', False), ('15m', True))
    >>> interval_of("bitstampUSD_1-min_data_2012-01-01_to_2021-03-31.csv"), interval_of("btcusd.csv")
    (('1m', True), None)
    """
    words = list(_words(name))
    for place, word in enumerate(words):
        following = words[place + 1].lower() if place + 1 < len(words) else ""
        if word.isdecimal() and following.rstrip("s") in ("min", "minute", "hour", "hr", "day") and len(word) < 5:
            return _tidy(int(word), following[0]), True
        found = _INTERVAL.fullmatch(word)
        if found and int(found[1]):
            return _tidy(int(found[1]), found[2][0].lower()), True
        turned = _METATRADER.fullmatch(word)
        if turned and int(turned[2]) and place:
            return _tidy(int(turned[2]), turned[1].lower()), True
        if word.lower() in _NAMED and place:
            return _NAMED[word.lower()], True
    number = next((after for word, after in pairwise(words) if after in _MINUTES and not word.isdecimal()), None)
    return None if number is None else (_tidy(int(number), "m"), False)


def _words(name: str) -> Iterator[str]:
    stem = re.split(r"[/\\:]", name)[-1].split(".")[0]
    for word in re.split(r"[-_ ,]+", stem):
        attached = _ATTACHED.fullmatch(word)
        yield from (part for part in (attached.groups() if attached else (word,)) if part)


def _tidy(count: int, unit: str) -> str:
    """Return the shortest name of an interval, whose unit is its first letter: 60m is 1h."""
    for small, many, large in (("s", 60, "m"), ("m", 60, "h"), ("h", 24, "d")):
        if unit == small and count % many == 0:
            count, unit = count // many, large
    return f"{count}{unit}"


def _pair(text: str, following: str) -> str | None:
    word = text.upper()
    if not (word.isascii() and word.isalnum()) or word.isdecimal() or _INTERVAL.fullmatch(word):
        return None
    if any(word.endswith(quote) and len(word) - len(quote) > 1 for quote in (QUOTES if text.isupper() else MAJOR)):
        return word
    if following.upper() in QUOTES:
        return word + following.upper()
    return word if word in COINS else None

"""The symbol and the interval in a file's name, if no column has them."""

import calendar
import re
from datetime import datetime
from itertools import pairwise

from topics.currencies import COINS, MAJOR, QUOTES, cut
from topics.markets import canonical, day_of, kind_of

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
    | {"vision", "download", "raw", "sample", "test", "train", "rest", "full", "all", "perps", "swaps", "um", "cm"}
    | {"perpetuals", "delivery", "option", "options", "fapi", "dapi", "spbl", "umcbl", "dmcbl"}
)
"""Words in file names that are no coins."""
_DATA = frozenset({"aggtrades", "trades", "klines", "kline", "candles", "candlesticks", "ohlcv"})
"""Words for a file's content."""
_NAMED = {"minute": "1m", "min": "1m", "hourly": "1h", "hour": "1h", "daily": "1d", "day": "1d", "d": "1d", "h": "1h"}
INTERVAL = re.compile(r"(\d{1,4})(s|sec|secs|m|min|mins|minutes?|h|hrs?|hours?|d|days?)", re.IGNORECASE)
_MONTHS = re.compile(r"(1|3|6|12)M")
_METATRADER = re.compile(r"([mhd])(\d{1,4})", re.IGNORECASE)
_ATTACHED = re.compile(r"([A-Za-z]{6,})(1|5|15|30|60|240|1440)")
"""MetaTrader's BTCUSD60."""
_PERPETUAL = re.compile(r"\.P(?=[ ,_.-])")
"""TradingView's BTCUSDT.P"""
OPTION = 4
"""Words of an option's name: BTC-27DEC24-100000-C; OKX's has the quote currency too."""
_OF_ONE_LETTER = ("USDT", "USDC", "FDUSD", "TRY")
"""Quote currencies of coins of one letter: SUSDT."""
_MINUTES = {"1", "3", "5", "15", "30", "60", "120", "240", "720", "1440"}


def symbol_of(name: str) -> str | None:
    """Return the symbol in a file's name, or None if there is none.

    It is the first pair (a word that ends in a known quote currency, or one followed by one), or a known coin; a word
    that is a bitcoin exchange with a currency means bitcoin. Venues' names, numbers, and words that are no coin are
    passed over.

    >>> symbol_of("BTC_USDT_USDT-1m-futures.feather"), symbol_of("btcusd.csv"), symbol_of("Binance_ETHUSDT_1h.csv.gz")
    ('BTCUSDT:USDT', 'BTCUSD', 'ETHUSDT')
    >>> symbol_of("ETH_1HRS_2017-08-20.csv"), symbol_of("bitstampUSD_1-min_data.csv"), symbol_of("train.csv")
    ('ETH', 'BTCUSD', None)
    >>> symbol_of("candles_BTC_USDT_1m.csv"), symbol_of("tBTCUSD.csv"), symbol_of("BINANCE_BTCUSDT, 1.csv")
    ('BTCUSDT', 'BTCUSD', 'BTCUSDT')
    """
    of_name = words_of(name)
    if (results := contract_in(of_name)) is not None:
        return results[0]
    for place, word in enumerate(of_name):
        following = of_name[place + 1] if place + 1 < len(of_name) else ""
        if word.upper() in ("KRW", "USDT") and following.upper() in COINS:  # Upbit, Poloniex: the quote comes first
            return f"{following}{word}".upper()
        venue = _VENUES.match(word)
        rest = (word[venue.end() :] if venue else word).upper()
        if venue and rest in QUOTES and not word.isupper():
            return f"BTC{rest}"
        no_coin = (venue and not rest) or word.lower() in _WORDS
        if (no_coin and not is_base(word, following)) or _is_no_coin(word, of_name[place + 1 : place + 3]):
            continue
        pair = _pair(re.sub(r"^t(?=[A-Z]{6})", "", word), following)
        if pair:
            return pair
    return None


def contract_in(of_name: list[str]) -> tuple[str, str] | None:
    """Return the contract that a file's name tells in a venue's spelling, and that spelling; None if it has none.

    A day in digits counts where it is a Friday, as the days of deliveries are, and what the file holds follows it:
    another is the day of the file.

    >>> contract_in(words_of("BTC-PERPETUAL_1m.csv")), contract_in(words_of("BTC_USDT_USDT-1m-futures.feather"))
    (('BTCUSD:BTC', 'BTC-PERPETUAL'), ('BTCUSDT:USDT', 'BTC-USDT-USDT'))
    >>> contract_in(words_of("BTCUSDT_240329-1m.csv")), contract_in(words_of("BTCUSDT_240329.csv"))
    (('BTCUSDT:USDT-240329', 'BTCUSDT-240329'), None)
    """
    for length in (OPTION + 1, OPTION, 3, 2, 1):
        for place in range(len(of_name) - length + 1):
            *_, last = part = of_name[place : place + length]
            text = "-".join(part) if part[0] not in ("PF", "PI", "FF", "FI") else "_".join(part)
            if (
                not text.isupper()
                or not _may_be_one(part)
                or (last.isdecimal() and not _is_delivery(last, of_name[place + length :]))
            ):
                continue
            symbol = canonical(text.replace("-PERP", "_PERP"))
            if kind_of(symbol) == "option" or (":" in symbol and length < OPTION):
                return symbol, text
    return None


def _may_be_one(part: list[str]) -> bool:
    """Return whether words may be one name: a pair and what it is, or a coin, its quote currency and what it is."""
    first, second = (*part, "")[:2]
    if _VENUES.fullmatch(first) or len(part) != 3:
        return not _VENUES.fullmatch(first)
    of_coin = (cut(first) or ("",))[0] in COINS
    return second in QUOTES and not of_coin and (first.lower() not in _WORDS or second not in COINS)


def _is_delivery(text: str, following: list[str]) -> bool:
    day = day_of(text)
    if day is None or datetime.strptime(day, "%y%m%d").weekday() != calendar.FRIDAY:
        return False
    return bool(following) and (INTERVAL.fullmatch(following[0]) is not None or following[0].lower() in _DATA)


def interval_of(name: str) -> tuple[str, bool] | None:
    """Return the interval in a file's name, and whether it is named with its unit; None if there is none.

    A number alone is minutes, as Kraken and TradingView write it.

    >>> interval_of("BTCUSDT-1m-2024-01.csv"), interval_of("XBTUSD_60.csv"), interval_of("BTCUSD_M15.csv")
    (('1m', True), ('1h', False), ('15m', True))
    >>> interval_of("bitstampUSD_1-min_data_2012-01-01_to_2021-03-31.csv"), interval_of("btcusd.csv")
    (('1m', True), None)
    """
    of_name = words_of(name)
    for place, word in enumerate(of_name):
        following = of_name[place + 1].lower() if place + 1 < len(of_name) else ""
        if word.isdecimal() and following.rstrip("s") in ("min", "minute", "hour", "hr", "day") and len(word) < 5:
            return _tidy(int(word), following[0]), True
        match = INTERVAL.fullmatch(word)
        if match and int(match[1]):
            return _tidy(int(match[1]), match[2][0].lower()), True
        turned = _METATRADER.fullmatch(word)
        if turned and int(turned[2]) and place:
            return _tidy(int(turned[2]), turned[1].lower()), True
        if word.lower() in _NAMED and place:
            return _NAMED[word.lower()], True
    number = next((after for word, after in pairwise(of_name) if after in _MINUTES and not word.isdecimal()), None)
    return None if number is None else (_tidy(int(number), "m"), False)


def month_in(name: str) -> str | None:
    """Return the word of a file's name that means months where it is not one of minutes: 1M, as venues write them.

    >>> month_in("BTCUSDT-1M-2024.csv"), month_in("BINANCE_BTCUSDT, 1M.csv"), month_in("BTCUSDT-1m.csv")
    ('1M', '1M', None)
    """
    return next((word for word in words_of(name) if _MONTHS.fullmatch(word)), None)


def words_of(name: str) -> list[str]:
    """Return the words of a file's name, of a member's in a zip: what stands between strokes, spaces and commas.

    >>> words_of("BINANCE_BTCUSDT.P, 1.csv"), words_of("BTCUSD60.csv.gz")
    (['BINANCE', 'BTCUSDT', 'PERP', '1'], ['BTCUSD', '60'])
    """
    stem = _PERPETUAL.sub("_PERP", re.split(r"[/\\:]", name)[-1]).split(".")[0]
    parts = re.split(r"[-_ ,]+", stem)
    # Where an interval is named, BTCUSD1 is a pair of USD1, else bars of a minute of BTCUSD.
    named = any(INTERVAL.fullmatch(word) for word in parts)
    attached = ((word, None if named and word.endswith("USD1") else _ATTACHED.fullmatch(word)) for word in parts)
    return [part for word, match in attached for part in (match.groups() if match else (word,)) if part]


def is_base(word: str, following: str) -> bool:
    """Return whether a word is the coin of a pair, whatever else it means: DATA_USDT, INDEX_USDT, 4_USDT, HTX_USDT.

    >>> is_base("PERP", "USDT"), is_base("PERP", "1m"), is_base("futures", "USDT"), is_base("FUTURES", "BTC")
    (True, False, False, False)
    """
    return (word.isupper() or not word.isascii() or word.isdecimal()) and following in QUOTES and following not in COINS


def _is_no_coin(word: str, following: list[str]) -> bool:
    """Return whether a word stands before a pair: in coingecko_BTC_USD it is not coingecko that is quoted in BTC."""
    base, quote = (*(text.upper() for text in following), "", "")[:2]
    if quote not in QUOTES or quote in (base, word.upper()) or word.upper() in COINS:
        return False
    return base in COINS or (base in QUOTES and not word.isupper())


def _tidy(count: int, unit: str) -> str:
    """Return the shortest name of an interval, whose unit is its first letter: 60m is 1h."""
    for small, many, large in (("s", 60, "m"), ("m", 60, "h"), ("h", 24, "d")):
        if unit == small and count % many == 0:
            count, unit = count // many, large
    return f"{count}{unit}"


def _pair(text: str, following: str) -> str | None:
    word, quote = text.upper(), following.upper()
    parts = cut(word)
    if quote in QUOTES and (following.isupper() or not text.isupper()) and not (parts and parts[0] in COINS):
        # What stands apart goes before what a word ends in: WBETH_USDT is no pair of WB.
        if INTERVAL.fullmatch(word) or not all(char.isalnum() or char in "$@" for char in word):
            return None
        return word + quote
    if not (word.isascii() and word.isalnum()) or word.isdecimal() or INTERVAL.fullmatch(word):
        return None
    if text.isupper() and word[1:] in _OF_ONE_LETTER:
        return word
    if any(word.endswith(known) and len(word) - len(known) > 1 for known in (QUOTES if text.isupper() else MAJOR)):
        return word
    return word if word in COINS else None

"""The symbol that a file's name tells, where no column does."""

import re

QUOTES = (
    *("USDT", "USDC", "BUSD", "TUSD", "FDUSD", "USD", "EUR", "GBP", "JPY", "CNY", "KRW", "AUD", "CAD", "CHF"),
    *("BTC", "ETH", "BNB"),
)
COINS = frozenset(
    {"BTC", "XBT", "ETH", "LTC", "XRP", "BCH", "BNB", "ADA", "DOGE", "EOS", "ETC", "IOTA", "MIOTA", "MKR", "XMR"}
    | {"XLM", "TRX", "SOL", "LINK", "DOT", "AVAX", "FIL", "ATOM"}
)
_VENUES = re.compile(
    r"^(binance(us)?|bitstamp|bitfinex|bitflyer|bittrex|btce|btcn|bybit|cexio|coinbase|coincheck|ftx|gemini|"
    r"hyperliquid|itbit|kraken|okx|okcoin|poloniex|mtgox)",
    re.IGNORECASE,
)
_INTERVAL = re.compile(r"\d+(s|m|h|d|min|hrs?|hours?|days?)?|minute|min|hourly|daily|[mhd]", re.IGNORECASE)


def symbol_of(name: str) -> str | None:
    """Return the symbol in a file's name, or None where it tells none.

    It is the first pair (a word that ends in a known quote currency, or a coin followed by one), else a coin that is
    followed by an interval or is known; a word that is a bitcoin exchange with a currency means bitcoin. Venue names
    and numbers are passed over.

    >>> symbol_of("BTC_USDT_USDT-1m-futures.feather"), symbol_of("btcusd.csv"), symbol_of("Binance_ETHUSDT_1h.csv.gz")
    ('BTCUSDT', 'BTCUSD', 'ETHUSDT')
    >>> symbol_of("ETH_1HRS_2017-08-20.csv"), symbol_of("bitstampUSD_1-min_data.csv"), symbol_of("train.csv")
    ('ETH', 'BTCUSD', None)
    """
    stem = re.split(r"[/\\:]", name)[-1].split(".")[0]
    words = [word for word in re.split(r"[-_ ]+", stem) if word]
    for place, word in enumerate(words):
        venue = _VENUES.match(word)
        rest = (word[venue.end() :] if venue else word).upper()
        following = words[place + 1] if place + 1 < len(words) else ""
        if venue and rest in QUOTES:
            return f"BTC{rest}"
        if venue and not rest:
            continue
        found = _pair(word.upper(), following)
        if found:
            return found
    return None


def _pair(word: str, following: str) -> str | None:
    if not (word.isascii() and word.isalnum()) or word.isdecimal():
        return None
    if any(word.endswith(quote) and len(word) - len(quote) > 1 for quote in QUOTES):
        return word
    if following.upper() in QUOTES:
        return word + following.upper()
    return word if word in COINS or (following and _INTERVAL.fullmatch(following) and 2 <= len(word) <= 6) else None

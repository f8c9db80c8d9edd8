"""The currencies by which a pair without a slash is split: BTCUSDT is BTC and USDT."""

MAJOR = (
    *("USDT", "USDC", "BUSD", "TUSD", "FDUSD", "PYUSD", "USD", "EUR", "GBP", "JPY", "CNY", "KRW", "AUD", "CHF"),
    *("BTC", "XBT", "ETH", "BNB"),
)
MINOR = (
    *("USDD", "USDE", "USDP", "DAI", "UST", "CAD", "TRY", "BRL", "RUB", "UAH", "NGN", "ZAR", "IDR", "INR", "PLN"),
    *("RON", "ARS", "MXN", "COP", "CZK", "SGD", "HKD", "THB", "VND", "PHP", "BIDR", "BVND", "IDRT", "EURI", "TRX"),
    *("USD1", "USDS", "USDQ", "USDR", "RLUSD", "EURC", "AEUR"),
    *("XRP", "DOGE", "DOT"),
)
"""Quote currencies that are also the end of ordinary words: in a file's name they count in capitals only."""
QUOTES = (*MAJOR, *MINOR)
COINS = frozenset(
    {"BTC", "XBT", "ETH", "LTC", "XRP", "BCH", "BNB", "ADA", "DOGE", "EOS", "ETC", "IOTA", "MIOTA", "MKR", "XMR"}
    | {"XLM", "TRX", "SOL", "LINK", "DOT", "AVAX", "FIL", "ATOM", "SHIB", "PEPE", "UNI", "NEAR", "TON", "ARB", "SUI"}
)
_LONGEST_FIRST = [*sorted(set(QUOTES) - {"TUSD"}, key=lambda quote: (-len(quote), quote)), "TUSD"]
"""TUSD comes last: FETUSD is more likely a pair of FET than of FE."""


def cut(pair: str) -> tuple[str, str] | None:
    """Return base and quote of a pair in capitals without a slash, by the quote currency at its end.

    Of several the one is taken whose base is a known coin, else the longest.

    >>> cut("BTCUSDT"), cut("SHIBTRY"), cut("DOTUSD"), cut("BTCTUSD"), cut("USDT"), cut("HELLO")
    (('BTC', 'USDT'), ('SHIB', 'TRY'), ('DOT', 'USD'), ('BTC', 'TUSD'), None, None)
    """
    cuts = [(pair.removesuffix(quote), quote) for quote in _LONGEST_FIRST if pair.endswith(quote) and pair != quote]
    return next((parts for parts in cuts if parts[0] in COINS), cuts[0] if cuts else None)

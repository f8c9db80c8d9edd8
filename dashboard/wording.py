"""Numbers and names as the page writes them. Unknown is a dash."""

from math import floor, isfinite, log10

DASH = "\u2013"
QUOTES = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "DAI", "USD", "EUR", "GBP", "JPY", "TRY", "BTC", "ETH", "BNB")
SIGNIFICANT = 7
MOST_DECIMALS = 8
THOUSAND = 1_000
MILLION = 1_000_000


def currencies(symbol: str) -> tuple[str, str]:
    """Return a symbol's base and quote currency; empty where its name does not tell.

    >>> currencies("BTCUSDT"), currencies("ETH-USD")
    (('BTC', 'USDT'), ('ETH', 'USD'))
    """
    for quote in QUOTES:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol.removesuffix(quote).rstrip("-/_:."), quote
    return "", ""


def decimals(price: float) -> int:
    """Return how many decimals a price needs: two for thousands, more for the small ones.

    >>> decimals(104_312.5), decimals(0.0731)
    (2, 6)
    """
    if not (isfinite(price) and price > 0):
        return 2
    return min(MOST_DECIMALS, max(2, SIGNIFICANT - 3 - floor(log10(price)))) if price < THOUSAND else 2


def price(value: float | None) -> str:
    """Return a price with its thousands apart."""
    return DASH if value is None or not isfinite(value) else f"{value:,.{decimals(value)}f}"


def percent(value: float | None, places: int = 1, sign: bool = False) -> str:
    """Return a share in percent, with a true minus sign."""
    if value is None or not isfinite(value):
        return DASH
    shown = round(100 * value, places) + 0.0  # the sum turns a negative zero into a plain one
    return f"{shown:{'+' if sign and shown else ''}.{places}f} %".replace("-", "\u2212")


def basis_points(value: float | None) -> str:
    """Return a log return in basis points."""
    return DASH if value is None or not isfinite(value) else f"{10_000 * value:.1f} bp"


def count(value: float | None) -> str:
    """Return a number of things, short.

    >>> count(1_234_567), count(0.25), count(None) == DASH
    ('1.2 M', '0.2', True)
    """
    if value is None or not isfinite(value):
        return DASH
    if value >= MILLION:
        return f"{value / MILLION:.1f} M"
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def state_name(state: str) -> str:
    """Return a regime's state in words."""
    return state.replace("_", " ")

"""Formats numbers and names for the page. Unknown is a dash."""

from math import isfinite

from topics.currencies import cut
from topics.prices import format_price

DASH = "\u2013"
MILLION = 1_000_000


def currencies(symbol: str) -> tuple[str, str]:
    """Return a symbol's base and quote currency; empty if its name does not tell.

    >>> currencies("BTCUSDT"), currencies("ETHUSD:ETH")
    (('BTC', 'USDT'), ('ETH', 'USD'))
    """
    return cut(symbol.partition(":")[0]) or ("", "")


def price(value: float | None) -> str:
    """Return a price with its thousands apart, or with a power of ten where it is very small."""
    return DASH if value is None or not isfinite(value) else format_price(value)


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

"""A forecast as it was stored: quantiles of the log return from the price of its bar."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp

from dashboard.number_format import DASH, price

UNITS = ("price", "bp")


@dataclass(frozen=True, kw_only=True)
class QuantileForecast:
    """The forecast of one horizon: its bar [epoch ms], the price there, log returns; None while unknown."""

    time: float
    price: float
    q05: float | None
    q10: float | None
    q50: float | None
    q90: float | None
    q95: float | None
    p_up: float | None


def signed(value: float | None) -> str:
    """Return a log return in basis points, with its sign and without the unit.

    >>> signed(0.00123), signed(None) == DASH
    ('+12.3', True)
    """
    return DASH if value is None else f"{10_000 * value:+.1f}".replace("-", "\u2212")


def between(said: QuantileForecast | None, low: float | None, high: float | None, unit: str) -> str:
    """Return from where to where an interval reaches, in price or in basis points from the price of its bar."""
    if said is None or low is None or high is None:
        return DASH
    write: Callable[[float], str] = signed if unit == UNITS[1] else lambda value: price(said.price * exp(value))
    return f"{write(low)} to {write(high)}"

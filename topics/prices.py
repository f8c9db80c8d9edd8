"""Formats prices, by the same rule everywhere: 104,312.50, 0.073100, 2.263e-10."""

from math import floor, isfinite, log10

PLAIN = 1e-6
"""Below it the zeros are hard to count: a power of ten is written instead."""
LARGE = 1e15
"""From it on, likewise."""
FIGURES = 5
"""Significant digits of a price below a thousand."""
MANTISSA = 3
"""Decimals before a power of ten."""
THOUSAND = 1_000


def plain(value: float) -> bool:
    """Return whether a number is written without a power of ten."""
    return value == 0 or not isfinite(value) or PLAIN <= abs(value) < LARGE


def decimals(price: float) -> int:
    """Return how many decimals a price needs that is written without a power of ten.

    >>> decimals(104_312.5), decimals(0.0731), decimals(0.0000034)
    (2, 6, 10)
    """
    if not isfinite(price) or price == 0 or abs(price) >= THOUSAND:
        return 2
    return max(2, FIGURES - 1 - floor(log10(abs(price))))


def format_price(price: float) -> str:
    """Return a price for reading: with thousands separators and a fixed number of significant digits.

    >>> format_price(104_312.5), format_price(0.0731), format_price(2.263e-10)
    ('104,312.50', '0.073100', '2.263e-10')
    """
    return f"{price:,.{decimals(price)}f}" if plain(price) else _power(f"{price:.{MANTISSA}e}")


def format_number(value: float, figures: int = 10) -> str:
    """Return a number for typing: with at most so many significant digits, and no trailing zeros.

    >>> format_number(104_312.5), format_number(0.000034), format_number(2.263e-10), format_number(1e16)
    ('104312.5', '0.000034', '2.263e-10', '1e16')
    """
    if not isfinite(value) or value == 0:
        return f"{value:g}"
    if not plain(value):
        mantissa, exponent = f"{value:.{figures - 1}e}".split("e")
        return _power(f"{_bare(mantissa)}e{exponent}")
    return _bare(f"{value:.{max(0, figures - 1 - floor(log10(abs(value))))}f}")


def _bare(text: str) -> str:
    """Return a number without trailing zeros."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _power(text: str) -> str:
    """Return a number with its power of ten as a browser writes it: e-7 and not e-07."""
    mantissa, exponent = text.split("e")
    return f"{mantissa}e{int(exponent)}"

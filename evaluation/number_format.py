"""Numbers as the tables write them. Unknown is a dash."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite

DASH = "\u2013"
MINUS = "\u2212"
STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
"""What a p below each bound is marked with."""


def number(value: float, places: int, sign: bool = False) -> str:
    """Return a number with a true minus sign.

    >>> number(-0.004, 2), number(1.5, 1, sign=True), number(float("nan"), 1) == DASH
    ('0.00', '+1.5', True)
    """
    if not isfinite(value):
        return DASH
    shown = round(value, places) + 0.0  # the sum turns a negative zero into a plain one
    return f"{shown:{'+' if sign and shown else ''}.{places}f}".replace("-", MINUS)


def stars(p: float) -> str:
    """Return the stars of a p; none if it is unknown.

    >>> stars(0.004), stars(0.3)
    ('**', '')
    """
    return next((mark for bound, mark in STARS if p < bound), "")


def probability(p: float) -> str:
    """Return a p, never as zero."""
    return "< 0.001" if p < 0.001 else number(p, 3)


def day(time: int) -> str:
    """Return the UTC date of a time (epoch ms).

    >>> day(1577836800000)
    '2020-01-01'
    """
    return f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d}"


def span(start: int, end: int) -> str:
    """Return the first and last day of a span."""
    return f"{day(start)} to {day(end)}"


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)

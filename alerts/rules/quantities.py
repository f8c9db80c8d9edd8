"""Parses and formats numbers with units: `10bp`, `70%`, `5m`."""

import re
from math import isfinite
from typing import Literal

from topics.prices import format_number

Unit = Literal["return", "probability", "ratio", "duration", "count", "price"]
"""The unit of a field: a log return, a share, a plain ratio, milliseconds, a count, or the quote currency."""

_NUMBER = re.compile(r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*([a-z%]*)")
_SCALES: dict[Unit, dict[str, float]] = {
    "return": {"bp": 1e-4, "bps": 1e-4, "%": 1e-2},
    "probability": {"": 1.0, "%": 1e-2},
    "ratio": {"": 1.0, "%": 1e-2},
    "duration": {"ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6, "d": 8.64e7},
    "count": {"": 1.0},
    "price": {"": 1.0},
}
_EXAMPLES: dict[Unit, str] = {
    "return": "10bp or 0.1%",
    "probability": "0.7 or 70%",
    "ratio": "1.5",
    "duration": "30s, 5m, 2h or 1d",
    "count": "100",
    "price": "64000 or 2.3e-10",
}


def parse(text: str, unit: Unit) -> float:
    """Return a number of that unit, in the records' own scale (log return, share, milliseconds).

    Raises ValueError with an example of the format.

    >>> parse("10bp", "return"), parse("70%", "probability"), parse("5m", "duration")
    (0.001, 0.7000000000000001, 300000.0)
    """
    match = _NUMBER.fullmatch(text.strip())
    scale = _SCALES[unit].get(match[2]) if match else None
    if match is None or scale is None or not isfinite(float(match[1])):
        raise ValueError(f"{text!r} is no {unit}: write it as {_EXAMPLES[unit]}")
    return float(match[1]) * scale


def show(value: float, unit: Unit) -> str:
    """Return a number as text.

    >>> show(0.00123, "return"), show(0.7, "probability"), show(90_000, "duration"), show(2.3e-10, "price")
    ('12.3 bp', '70%', '90 s', '2.3e-10')
    """
    if unit == "return":
        return f"{value * 1e4:.4g} bp"
    if unit == "probability":
        return f"{value * 100:.4g}%"
    if unit == "duration":
        return f"{value / 1000:.10g} s"
    return format_number(value) if unit in {"count", "price"} else f"{value:.4g}"

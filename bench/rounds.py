"""What is kept of several rounds."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

Figures = Mapping[str, Any]
ADDED = ("duplicates", "wrong", "missing")
"""Rows that are not right: these are added up."""


def summary(rounds: Sequence[Figures]) -> dict[str, Any]:
    """Return the medians of figures, and of the figures within them; the rows that are not right are added up."""
    return {name: _summed_up(name, [one[name] for one in rounds]) for name in rounds[0]}


def _summed_up(name: str, values: list[Any]) -> Any:
    if isinstance(values[0], Mapping):
        return summary(values)
    return sum(values) if name in ADDED else round(median(values), 3)

"""Figures of what was measured. Pure."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

Seen = Sequence[tuple[float, float]]
"""Each mark that a page showed, and when [epoch s]."""
QUARTERS = 4


def quantiles(values: Sequence[float], places: int = 2) -> dict[str, float]:
    """Return the median, the 95th percentile and the most; nothing of no value."""
    if not values:
        return {}
    levels = {"p50": 50, "p95": 95, "max": 100}
    return {name: round(float(np.percentile(values, level)), places) for name, level in levels.items()}


def delays(published: Mapping[float, float], seen: Seen) -> list[float]:
    """Return how many seconds after its publication each mark was seen; one that was not published here is left out."""
    return [at - published[mark] for mark, at in seen if mark in published]


def by_quarter(samples: Sequence[float]) -> list[float]:
    """Return the median of each quarter of the samples."""
    ends = [len(samples) * part // QUARTERS for part in range(QUARTERS + 1)]
    return [round(float(np.median(samples[a:b])), 1) for a, b in pairwise(ends) if b > a]


def growth_percent(before: float, after: float) -> float:
    """Return by how many percent something has grown."""
    return round(100 * (after / before - 1), 1)

"""Standardised returns of the past, from the closes alone: a fold of its own for models that read no features."""

from math import log, sqrt

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats, Ints
from features.table import LONGEST_GAP
from models.json_type import JSON
from topics.units import interval_ms

Spans = tuple[tuple[int, int], ...]
"""Returns wanted: how many bars ago each ended, and how many bars it lasted."""


def named(spans: Spans) -> list[str]:
    """Return the returns' names."""
    return [f"log_return_{length}" + (f", {ago} bars ago" if ago else "") for ago, length in spans]


def initial() -> JSON:
    """Return the initial state of a symbol."""
    return {"time": -1, "closes": []}


def step(state: JSON, frame: FeatureFrame, sigma: Floats, spans: Spans) -> tuple[JSON, Floats]:
    """Return ln(P(t-a) / P(t-a-n)) / (sigma(t) sqrt(n)) for each span (a, n): [n, spans]; NaN if unknown.

    Bars are counted that traded. After more than `LONGEST_GAP` missing intervals the past is forgotten, as for the
    features.
    """
    closes = np.concatenate([np.array(state["closes"], dtype=np.float64), frame.close])
    times = np.concatenate([[state["time"]], frame.time]).astype(np.int64)
    reach = max(ago + length for ago, length in spans)
    longest = (LONGEST_GAP + 1) * interval_ms(frame.interval)
    x, begin = _returns(times, closes, sigma, np.array(spans, dtype=np.int64), longest)
    kept = max(begin, len(closes) - reach)
    return {"time": int(times[-1]), "closes": closes[kept:].tolist()}, x


@compiled_and_kept
def _returns(times: Ints, closes: Floats, sigma: Floats, spans: Ints, longest: int) -> tuple[Floats, int]:
    """Return the returns [n, spans], and the first close after the last long gap; `times` [1 + n] begin one earlier."""
    old = len(closes) - len(sigma)
    begin = 0
    x = np.full((len(sigma), len(spans)), np.nan)
    for row in range(len(sigma)):
        if times[row] >= 0 and times[row + 1] - times[row] > longest:
            begin = old + row
        for column in range(len(spans)):
            end = old + row - spans[column, 0]
            start = end - spans[column, 1]
            if start >= begin:
                x[row, column] = log(closes[end] / closes[start]) / (sigma[row] * sqrt(spans[column, 1]))
    return x, begin

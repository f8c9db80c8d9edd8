"""Moving extremes: the greatest and the least of each window, and how long ago they were. See `features.windows`.

A window is combined from two halves that may share a value, which does not change an extreme.
"""

import numpy as np

from features.compiled import compiled, scratch
from features.frame import Floats
from features.last_window import greatest_of, least_of, rows_since_extreme_of


@compiled
def _greater(a: Floats, b: Floats, result: Floats) -> None:
    for k in range(len(result)):
        result[k] = b[k] if b[k] > a[k] or b[k] != b[k] else a[k]


@compiled
def _lesser(a: Floats, b: Floats, result: Floats) -> None:
    for k in range(len(result)):
        result[k] = b[k] if b[k] < a[k] or b[k] != b[k] else a[k]


@compiled
def moving_max(values: Floats, start: int, period: int, result: Floats) -> None:
    """Fill the greatest value of each window."""
    source, rows, left = values[start - period + 1 :], len(result), period
    if rows == 1:
        result[0] = greatest_of(source, period)
        return
    part, other = scratch(rows + period // 2), scratch(rows + period // 2)
    while left > 2:
        half = (left + 1) // 2
        part = part[: rows + half - 1]
        _greater(source, source[left - half :], part)
        source, left = part, half
        part, other = other, part
    _greater(source, source[left - 1 :], result)


@compiled
def moving_min(values: Floats, start: int, period: int, result: Floats) -> None:
    """Fill the least value of each window."""
    source, rows, left = values[start - period + 1 :], len(result), period
    if rows == 1:
        result[0] = least_of(source, period)
        return
    part, other = scratch(rows + period // 2), scratch(rows + period // 2)
    while left > 2:
        half = (left + 1) // 2
        part = part[: rows + half - 1]
        _lesser(source, source[left - half :], part)
        source, left = part, half
        part, other = other, part
    _lesser(source, source[left - 1 :], result)


@compiled
def moving_place(values: Floats, start: int, period: int, still: float, place: Floats) -> None:
    """Fill the position of the last value of each window between the least (0) and the greatest (100).

    NaN if the two differ by no more than `still`.
    """
    high, latest = scratch(len(place)), values[start:]
    moving_min(values, start, period, place)
    moving_max(values, start, period, high)
    for r in range(len(place)):
        span = high[r] - place[r]
        place[r] = 100.0 * (latest[r] - place[r]) / span if span > still else np.nan


@compiled
def rows_since_extreme(values: Floats, start: int, period: int, sign: float, result: Floats) -> None:
    """Fill how many rows ago each window had its greatest (`sign` 1) or least value (-1): the latest of equals."""
    source, rows, left = values[start - period + 1 :], len(result), period
    if rows == 1:
        result[0] = rows_since_extreme_of(source, period, sign)
        return
    size = rows + period - 1
    part, other, at, other_at = scratch(size), scratch(size), scratch(size), scratch(size)
    for k in range(size):
        part[k] = sign * source[k]
    for k in range(size):
        at[k] = k
    while left > 1:
        half = (left + 1) // 2
        count, step = rows + half - 1, left - half
        a, b, c, d = part[:count], part[step:], at[:count], at[step:]
        for k in range(count):
            later = b[k] > a[k] or b[k] != b[k] or (b[k] == a[k] and d[k] > c[k])
            other_at[k] = d[k] if later else c[k]
        for k in range(count):
            other[k] = b[k] if b[k] > a[k] or b[k] != b[k] else a[k]
        part, other = other, part
        at, other_at = other_at, at
        left = half
    for r in range(rows):
        result[r] = (r + period - 1) - at[r] if part[r] == part[r] else np.nan

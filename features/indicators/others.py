"""Others: the return since the beginning, the time of day and week, and the age of the previous bar."""

from math import cos, pi, sin

from features.compiled import compiled
from features.frame import Floats
from features.series import CLOSE, GAP, TIME
from features.windows import put

DAY_MS = 86_400_000
MONDAY_MS = 4 * DAY_MS
"""The first Monday of the epoch, 5 January 1970."""


@compiled
def cyclic_time(x: Floats, start: int, out: Floats) -> None:
    """Time of day and of the week (UTC, at the bar's start) as sine and cosine; both begin at (Monday's) midnight."""
    for i in range(start, x.shape[1]):
        time = int(x[TIME, i])  # the remainder of integers is faster
        day = 2.0 * pi * (time % DAY_MS) / DAY_MS
        week = 2.0 * pi * ((time - MONDAY_MS) % (7 * DAY_MS)) / (7 * DAY_MS)
        out[0, i - start] = sin(day)
        out[1, i - start] = cos(day)
        out[2, i - start] = sin(week)
        out[3, i - start] = cos(week)


@compiled
def missing_before(x: Floats, start: int, out: Floats) -> None:
    """Intervals missing between the previous bar and this one; unknown if bars are not cut by time."""
    put(x[GAP, start:], out[0])


@compiled
def cumulative_return(x: Floats, start: int, out: Floats, state: Floats) -> None:
    """Change of the close since the beginning's, in percent."""
    first = state[0] if state[0] > 0.0 else x[CLOSE, start]
    for i in range(start, x.shape[1]):
        out[0, i - start] = 100.0 * (x[CLOSE, i] / first - 1.0)
    state[0] = first

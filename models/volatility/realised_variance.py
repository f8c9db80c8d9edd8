"""Realised variance of one symbol over windows of the past and of the future, from one-bar returns."""

from typing import NamedTuple

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats, Ints
from features.table import LONGEST_GAP
from models.ewma_volatility import HOME, STAYS, Walk
from models.json_type import JSON
from models.labels import mature
from topics.units import interval_ms

NEVER = 2**62


class Squares(NamedTuple):
    """The squared log returns that ended at `times`, each [m]: before `until` (epoch ms) as `squares`, then as `after`.

    From the bar at which a price is back, a wild return and the following ones count as 0; from the bar at which it
    stays, in full.
    """

    times: Ints
    squares: Floats
    until: Ints
    after: Floats


def initial() -> JSON:
    """Return the initial state of a symbol."""
    return {"begin": -1, "times": [], "squares": [], "until": [], "after": []}


def step(state: JSON, frame: FeatureFrame, reach: int, walk: Walk) -> tuple[JSON, Squares]:
    """Return the squares of the frame's bars and of those up to `reach` bars before, of returns as they were walked.

    Of a return across more than `LONGEST_GAP` missing intervals one bar's share is taken.
    """
    bar = interval_ms(frame.interval)
    known = np.array(state["times"], dtype=np.int64)
    state = {"until": [NEVER] * len(known), "after": state["squares"]} | state  # which one from before may lack
    share = _share(frame.time, known[-1] if len(known) else -1, (LONGEST_GAP + 1) * bar, bar)
    new = (frame.time, walk.returns**2 * share, np.full(len(frame), NEVER), (walk.returns**2 + walk.rest) * share)
    old = (state[name] for name in Squares._fields)
    times, squares, until, after = (
        np.concatenate([np.array(first, dtype=last.dtype), last]) for first, last in zip(old, new, strict=True)
    )
    for row in np.flatnonzero(walk.turns & (HOME | STAYS)).tolist():
        first = int(np.searchsorted(times, walk.since[row], side="right"))
        until[first : len(known) + row] = frame.time[row]
        if walk.turns[row] & HOME:
            after[first : len(known) + row] = 0.0
    keep = int(np.searchsorted(times, times[-1] - reach * bar, side="right"))
    seen = {
        "begin": state["begin"] if state["begin"] >= 0 else int(times[0]),
        "times": times[keep:].tolist(),
        "squares": squares[keep:].tolist(),
        "until": until[keep:].tolist(),
        "after": after[keep:].tolist(),
    }
    return seen, Squares(times, squares, until, after)


@compiled_and_kept
def _share(times: Ints, before: int, longest: int, bar: int) -> Floats:
    """Return how many times the square of a return of one bar counts."""
    share = np.zeros(len(times))
    for row in range(len(times)):
        if before >= 0:
            passed = times[row] - before
            share[row] = passed / bar if passed <= longest else 1.0
        before = times[row]
    return share


def past(seen: Squares, old: int, begin: int, windows: Ints, bar: int) -> Floats:
    """Return the mean squared return of one bar over the last n bars for each window n, for the rows from `old` on.

    [n, W]. A window that reaches before `begin` ends there; NaN at `begin`.
    """
    return _past(*seen, old, begin, windows, bar)


@compiled_and_kept
def _past(
    times: Ints, squares: Floats, until: Ints, after: Floats, old: int, begin: int, windows: Ints, bar: int
) -> Floats:
    values = np.full((len(times) - old, len(windows)), np.nan)
    for row in range(old, len(times)):
        if times[row] == begin:
            continue
        total, place = 0.0, row
        for column in range(len(windows)):  # ascending
            while place >= 0 and times[place] > times[row] - windows[column] * bar:
                total += squares[place] if times[row] < until[place] else after[place]
                place -= 1
            values[row - old, column] = total / min(float(windows[column]), (times[row] - begin) / bar)
    return values


def future(seen: Squares, start: int, horizon: int, clock: FeatureFrame) -> tuple[Ints, Floats]:
    """Return at which row of the clock the windows of the rows from `start` on end, and the sum of squares in them.

    The sum is NaN if no bar of the clock is exactly `horizon` intervals later, as a label is.
    """
    span = horizon * interval_ms(clock.interval)
    asked = seen.times[start:]
    at, exact = mature(asked, np.ones(len(asked)), span, clock.time, clock.close)
    return at, np.where(np.isnan(exact), np.nan, _ahead(*seen, start, span))


@compiled_and_kept
def _ahead(times: Ints, squares: Floats, until: Ints, after: Floats, start: int, span: int) -> Floats:
    values = np.zeros(len(times) - start)
    for row in range(start, len(times)):
        end = times[row] + span
        place = row + 1
        while place < len(times) and times[place] <= end:
            values[row - start] += squares[place] if end < until[place] else after[place]
            place += 1
    return values

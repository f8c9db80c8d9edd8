"""Realised variance of one symbol over windows of the past and of the future, from one-bar returns."""

from math import log

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats, Ints
from features.table import LONGEST_GAP
from models.forecaster import JSON
from models.labels import mature
from topics.units import interval_ms


def initial() -> JSON:
    """Return the state of a symbol that was not seen yet: `squares` are those of the returns that ended at `times`."""
    return {"begin": -1, "close": 1.0, "times": [], "squares": []}


def step(state: JSON, frame: FeatureFrame, reach: int) -> tuple[JSON, Ints, Floats]:
    """Return the times and squared one-bar log returns of the frame's bars and of those up to `reach` bars before.

    Of a return across more than `LONGEST_GAP` missing intervals one bar's share is taken.
    """
    bar = interval_ms(frame.interval)
    before = state["times"][-1] if state["times"] else -1
    new = _squares(frame.time, frame.close, before, state["close"], (LONGEST_GAP + 1) * bar, bar)
    times = np.concatenate([np.array(state["times"], dtype=np.int64), frame.time])
    squares = np.concatenate([np.array(state["squares"], dtype=np.float64), new])
    keep = int(np.searchsorted(times, times[-1] - reach * bar, side="right"))
    seen = {
        "begin": state["begin"] if state["begin"] >= 0 else int(times[0]),
        "close": float(frame.close[-1]),
        "times": times[keep:].tolist(),
        "squares": squares[keep:].tolist(),
    }
    return seen, times, squares


@compiled_and_kept
def _squares(times: Ints, closes: Floats, before: int, close: float, longest: int, bar: int) -> Floats:
    squares = np.zeros(len(times))
    for row in range(len(times)):
        if before >= 0:
            passed = times[row] - before
            squares[row] = log(closes[row] / close) ** 2 * (1.0 if passed <= longest else bar / passed)
        before, close = times[row], closes[row]
    return squares


@compiled_and_kept
def past(times: Ints, squares: Floats, old: int, begin: int, windows: Ints, bar: int) -> Floats:
    """Return the mean squared return of one bar over the last n bars for each window n, for the rows from `old` on.

    [n, W]. A window that reaches before `begin` ends there; NaN at `begin`.
    """
    found = np.full((len(times) - old, len(windows)), np.nan)
    for row in range(old, len(times)):
        if times[row] == begin:
            continue
        total, place = 0.0, row
        for column in range(len(windows)):  # ascending
            while place >= 0 and times[place] > times[row] - windows[column] * bar:
                total += squares[place]
                place -= 1
            found[row - old, column] = total / min(float(windows[column]), (times[row] - begin) / bar)
    return found


def future(times: Ints, squares: Floats, start: int, horizon: int, clock: FeatureFrame) -> tuple[Ints, Floats]:
    """Return at which row of the clock the windows of the rows from `start` on end, and the sum of squares in them.

    The sum is NaN where no bar of the clock is exactly `horizon` intervals later, as a label is.
    """
    span = horizon * interval_ms(clock.interval)
    asked = times[start:]
    at, exact = mature(asked, np.ones(len(asked)), span, clock.time, clock.close)
    return at, np.where(np.isnan(exact), np.nan, _ahead(times, squares, start, span))


@compiled_and_kept
def _ahead(times: Ints, squares: Floats, start: int, span: int) -> Floats:
    found = np.zeros(len(times) - start)
    for row in range(start, len(times)):
        place = row + 1
        while place < len(times) and times[place] <= times[row] + span:
            found[row - start] += squares[place]
            place += 1
    return found

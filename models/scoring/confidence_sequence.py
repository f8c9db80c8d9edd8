"""A confidence sequence for the sum of expected gains: an interval that may be looked at after every bar.

The gains are differences of losses in [-1, 1]. With the probability 1 - alpha the sum of what was expected of them,
each at the time of its forecast, lies within all intervals at once, whatever the gains' distribution and however it
changes: the empirical Bernstein sequence of Choe and Ramdas 2023, "Comparing sequential forecasters", theorem 2. Its
boundary is the lowest of several lines in the variance, each crossed with the same small probability (Howard, Ramdas,
McAuliffe and Sekhon 2020, "Time-uniform Chernoff bounds via nonnegative supermartingales", theorem 1).

The labels of horizon h overlap; those of every h-th bar do not. So, as in `models.scoring.e_process`, each gain belongs
to one of `places`, whose gains follow each other without overlap. Each place has a sequence of its own at the level
alpha / places, and the sum of the sequences holds by the union bound.
"""

import numpy as np

from features.compiled import compiled, compiled_and_kept
from features.frame import Floats, Ints

RANGE = 2.0
"""The width of [-1, 1], the scale of the bound."""
SLOPES = 0.9 / RANGE * 2.0 ** -np.arange(10.0)
"""The lambda of each line: the first is the lowest after few gains, the last after a variance of millions."""
COSTS = (-np.log(1.0 - RANGE * SLOPES) - RANGE * SLOPES) / RANGE**2
"""psi_E of each: what the variance costs it."""
COUNT, SUM, VARIANCE = 0, 1, 2


def initial(places: int) -> Floats:
    """Return of each place [3, places] how many gains there were, their sum and the sum of their squared surprises."""
    return np.zeros((3, places))


def step(state: Floats, place: Ints, gain: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Return the state after the gains [n], and [3, n]: their sum after each, and the interval's lower and upper bound.

    The bounds are of the sum of the expected gains. A gain that is NaN changes nothing.
    """
    level = alpha / 2.0 / state.shape[1]
    return _walk(state, place, gain, level, SLOPES, COSTS)


def boundary(variance: float, level: float) -> float:
    """Return what a sum of that variance exceeds, at any time, with the probability `level` at most."""
    return _boundary(variance, level, SLOPES, COSTS)


@compiled
def _boundary(variance: float, level: float, slopes: Floats, costs: Floats) -> float:
    return float(((np.log(len(slopes) / level) + costs * variance) / slopes).min())


@compiled_and_kept
def _walk(
    state: Floats, place: Ints, gain: Floats, level: float, slopes: Floats, costs: Floats
) -> tuple[Floats, Floats]:
    state = state.copy()
    width, total = 0.0, 0.0
    widths = np.zeros(state.shape[1])
    for at in range(state.shape[1]):
        if state[COUNT, at] > 0:
            widths[at] = _boundary(state[VARIANCE, at], level, slopes, costs)
            width += widths[at]
        total += state[SUM, at]
    bounds = np.empty((3, len(gain)))
    for row in range(len(gain)):
        at = place[row]
        if not np.isnan(gain[row]):
            # The surprise is against the mean of the gains before: a guess that does not know this one.
            guess = state[SUM, at] / max(state[COUNT, at], 1.0)
            state[VARIANCE, at] += (gain[row] - guess) ** 2
            state[COUNT, at] += 1.0
            state[SUM, at] += gain[row]
            total += gain[row]
            width -= widths[at]
            widths[at] = _boundary(state[VARIANCE, at], level, slopes, costs)
            width += widths[at]
        bounds[0, row], bounds[1, row], bounds[2, row] = total, total - width, total + width
    return state, bounds

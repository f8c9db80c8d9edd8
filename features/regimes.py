"""The market's state, filtered online: a Gaussian hidden Markov model's forward recursion, never smoothed.

Two scale-free observations of a bar: `heat`, ln of the realised volatility over 15 bars against that over 120, at most
`HEAT_LIMIT` either way; and `drift`, the sum of the last 60 log returns over the root of the sum of their squares (a
random walk: about N(0, 1)). The states are described by data, `RegimeParameters`, which training fits (`features.hmm`),
so one compiled function serves every definition.

Fitted on a year of Bitfinex minutes of 5 symbols, `python -m bench.regimes` finds there calm in 58 to 63 % of the bars,
each trend in 15 to 20 %, turbulent in 4 to 6 %; a state lasts 44 to 52 bars. The volatility of the next 15 bars is
least after calm for every symbol, 12 to 38 % more after the others, and most after turbulent for 3 of the 5.
Source: Hamilton (1989); Rabiner (1989), section III.A, scaled forward variables.
"""

from dataclasses import dataclass
from math import exp, isfinite, isnan, log, sqrt

import numpy as np

from features.compiled import compiled, scratch
from features.frame import FeatureFrame, Floats
from features.series import RETURN
from features.windows import moving_sum, square
from topics.records import Regime

STATES = ("calm", "trending_up", "trending_down", "turbulent")
COLUMNS = tuple(f"regime_{state}" for state in STATES)
SHORT, LONG, TREND = 15, 120, 60
HEAT_LIMIT = 1.0
"""In an illiquid market the price is constant for minutes, and the logarithm falls without bound: its size carries no
information."""
LEAST_DEVIATION = 0.05
"""Without this minimum, a state fitted to a few equal observations would have a likelihood without bound."""
MEAN_AT, DEVIATION_AT, TRANSITION_AT, TEMPER_AT, PARAMETERS = 0, 8, 16, 32, 33
"""The offset of each parameter in the flat array, and their number."""

Pairs = tuple[tuple[float, float], ...]
Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class RegimeParameters:
    """The parameters of the states, in the order of `STATES`.

    `means` and `deviations` are of (heat, drift); `transition[i][j]` is the probability that state j follows state i
    within a bar; `temper` is the power of the likelihood, since overlapping windows repeat most of the previous bar's
    information. Raises ValueError if they are not the parameters of four states.
    """

    means: Pairs
    deviations: Pairs
    transition: Rows
    temper: float

    def __post_init__(self) -> None:
        states = len(STATES)
        shapes = {"means": (self.means, 2), "deviations": (self.deviations, 2), "transition": (self.transition, states)}
        for name, (rows, width) in shapes.items():
            if [len(row) for row in rows] != [width] * states:
                raise ValueError(f"regimes: {name} are not {states} rows of {width}")
            if not all(isfinite(value) for row in rows for value in row):
                raise ValueError(f"regimes: {name} are not finite")
        if min(min(row) for row in self.deviations) < LEAST_DEVIATION:
            raise ValueError(f"regimes: a deviation is less than {LEAST_DEVIATION}")
        if any(min(row) < 0 or abs(sum(row) - 1) > 1e-9 for row in self.transition):
            raise ValueError("regimes: a row of the transition matrix is not a distribution")
        if not 0 < self.temper <= 1:
            raise ValueError(f"regimes: temper {self.temper} is not in (0, 1]")

    def array(self) -> Floats:
        """Return all parameters, flat [PARAMETERS], as the compiled filter takes them."""
        parts = (*self.means, *self.deviations, *self.transition, (self.temper,))
        return np.array([value for part in parts for value in part], dtype=np.float64)


DEFAULT = RegimeParameters(
    means=((-0.35, 0.0), (0.0, 1.6), (0.0, -1.6), (0.55, 0.0)),
    deviations=((0.35, 0.7), (0.4, 0.7), (0.4, 0.7), (0.45, 1.1)),
    transition=tuple(tuple(0.97 if i == j else 0.01 for j in range(4)) for i in range(4)),
    temper=0.15,
)
"""Set by hand, by the meaning of each name: used if nothing was fitted, and as the start and the prior of a fit."""


@compiled
def observe(returns: Floats, start: int, heat: Floats, drift: Floats) -> None:
    """Fill heat and drift [new rows] of the returns [rows] from `start` on; NaN if unknown or if no price moved."""
    rows, earlier = len(heat), LONG - 1
    squared, moved, short, trend, long = (
        scratch(earlier + rows),
        scratch(rows),
        scratch(rows),
        scratch(rows),
        scratch(rows),
    )
    square(returns[start - earlier :], squared)
    moving_sum(returns, start, TREND, moved)
    moving_sum(squared, earlier, SHORT, short)
    moving_sum(squared, earlier, TREND, trend)
    moving_sum(squared, earlier, LONG, long)
    for r in range(rows):
        heat[r], drift[r] = np.nan, np.nan
        if short[r] > 0.0 and trend[r] > 0.0 and long[r] > 0.0:
            ratio = log(sqrt(short[r] / SHORT) / sqrt(long[r] / LONG))
            heat[r] = min(max(ratio, -HEAT_LIMIT), HEAT_LIMIT)
            drift[r] = moved[r] / (sqrt(trend[r] / TREND) * sqrt(TREND))


@compiled
def regime_posterior(x: Floats, start: int, out: Floats, state: Floats, fitted: Floats) -> None:
    """Posterior probability of each state. A bar with unknown observations (no price moved) only makes a transition.

    `state`: the last posterior, zeros before the first known observation. `fitted`: `RegimeParameters.array`.
    """
    states = len(state)
    rows = x.shape[1] - start
    heat, drift, before, spread = scratch(rows), scratch(rows), scratch(states), scratch(states)
    observe(x[RETURN], start, heat, drift)
    for s in range(states):
        spread[s] = log(fitted[DEVIATION_AT + 2 * s] * fitted[DEVIATION_AT + 2 * s + 1])
    for r in range(rows):
        known = heat[r] == heat[r]  # not NaN
        begun = False
        for s in range(states):
            out[s, r] = np.nan
            begun = begun or state[s] > 0.0
            before[s] = state[s]
        if not (known or begun):
            continue
        for s in range(states):
            state[s] = 0.0 if begun else 1.0 / states
            for j in range(states if begun else 0):
                state[s] += before[j] * fitted[TRANSITION_AT + states * j + s]
        if known:
            best = -np.inf
            for s in range(states):
                wide, steep = fitted[DEVIATION_AT + 2 * s], fitted[DEVIATION_AT + 2 * s + 1]
                a, b = (heat[r] - fitted[MEAN_AT + 2 * s]) / wide, (drift[r] - fitted[MEAN_AT + 2 * s + 1]) / steep
                out[s, r] = fitted[TEMPER_AT] * (-0.5 * (a * a + b * b) - spread[s])
                best = max(best, out[s, r])
            for s in range(states):
                state[s] *= exp(out[s, r] - best)
        mass = 0.0
        for s in range(states):
            mass += state[s]
        for s in range(states):
            state[s] /= mass
            out[s, r] = state[s]


def regimes(frame: FeatureFrame, first_column: int, change_column: int) -> list[Regime]:
    """Return the regime of each row whose posterior, the columns from `first_column` on, is known.

    `change_column` is the column of the change-point score.
    """
    posterior = frame.values[:, first_column : first_column + len(STATES)].tolist()
    changes = frame.values[:, change_column].tolist()
    symbol, interval = frame.symbol, frame.interval
    return [
        Regime(
            symbol=symbol,
            interval=interval,
            time=time,
            state=STATES[row.index(max(row))],
            posterior=dict(zip(STATES, row, strict=True)),
            change_point=None if isnan(change) else change,
        )
        for time, row, change in zip(frame.time.tolist(), posterior, changes, strict=True)
        if not isnan(row[0])
    ]

"""The market's state, filtered online: a Gaussian hidden Markov model's forward recursion, never smoothed.

Two scale-free observations of a bar: `heat`, ln of the realised volatility over 15 bars against that over 120; and
`drift`, the sum of the last 60 log returns over the root of the sum of their squares (a random walk: about N(0, 1)).
The states' means and deviations are fixed, so a name means the same for every symbol and at every time. They were set
to the spread of both on a year of Bitfinex and a month of Binance minutes; there calm takes 53 to 59 % of the bars,
the trends 15 to 20 % each, turbulent 7 to 12 %, a state lasts about 40 bars, and the volatility of the next 15 bars
rises from calm to turbulent for every symbol.
Source: Hamilton (1989); Rabiner (1989), section III.A, scaled forward variables.
"""

from math import exp, isnan, log, sqrt

import numpy as np

from features.compiled import compiled
from features.frame import FeatureFrame, Floats
from features.series import RETURN
from features.windows import moving_sum, squares
from topics.records import Regime

STATES = ("calm", "trending_up", "trending_down", "turbulent")
COLUMNS = tuple(f"regime_{state}" for state in STATES)
SHORT, LONG, TREND = 15, 120, 60
MEANS = np.array([[-0.35, 0.0], [0.0, 1.6], [0.0, -1.6], [0.55, 0.0]])
"""[state, (heat, drift)]"""
DEVIATIONS = np.array([[0.35, 0.7], [0.4, 0.7], [0.4, 0.7], [0.45, 1.1]])
STAY = 0.97
"""The chance that a state outlives a bar (about 33 bars on average); the other states share the rest."""
TEMPER = 0.15
"""Power of the likelihood: overlapping windows repeat most of what the previous bar said."""


@compiled
def regime_posterior(x: Floats, start: int, out: Floats, state: Floats) -> None:
    """Posterior probability of each state. A bar whose observations are unknown (no price moved) only lets time pass.

    `state`: the last posterior, zeros before the first known observation.
    """
    states = len(MEANS)
    leave = (1.0 - STAY) / (states - 1)
    squared = squares(x[RETURN])
    moved, short_squares = moving_sum(x[RETURN], start, TREND), moving_sum(squared, start, SHORT)
    trend_squares, long_squares = moving_sum(squared, start, TREND), moving_sum(squared, start, LONG)
    for i in range(start, x.shape[1]):
        short, long = sqrt(short_squares[i - start] / SHORT), sqrt(long_squares[i - start] / LONG)
        trend = sqrt(trend_squares[i - start] / TREND)
        known = short > 0.0 and trend > 0.0 and long > 0.0
        begun = state[0] > 0.0
        for s in range(states):
            out[s, i - start] = np.nan
        if not (known or begun):
            continue
        for s in range(states):
            state[s] = leave + (STAY - leave) * state[s] if begun else 1.0 / states
        if known:
            heat = log(short / long)
            drift = moved[i - start] / (trend * sqrt(TREND))
            best = -np.inf
            for s in range(states):
                a, b = (heat - MEANS[s, 0]) / DEVIATIONS[s, 0], (drift - MEANS[s, 1]) / DEVIATIONS[s, 1]
                out[s, i - start] = TEMPER * (-0.5 * (a * a + b * b) - log(DEVIATIONS[s, 0] * DEVIATIONS[s, 1]))
                best = max(best, out[s, i - start])
            for s in range(states):
                state[s] *= exp(out[s, i - start] - best)
        mass = 0.0
        for s in range(states):
            mass += state[s]
        for s in range(states):
            state[s] /= mass
            out[s, i - start] = state[s]


def regimes(frame: FeatureFrame, first_column: int) -> list[Regime]:
    """Return the regime of each row whose posterior, the columns from `first_column` on, is known."""
    posterior = frame.values[:, first_column : first_column + len(STATES)].tolist()
    symbol, interval = frame.symbol, frame.interval
    return [
        Regime(symbol, interval, time, STATES[row.index(max(row))], dict(zip(STATES, row, strict=True)))
        for time, row in zip(frame.time.tolist(), posterior, strict=True)
        if not isnan(row[0])
    ]

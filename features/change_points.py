"""When did the volatility last change? Bayesian online change-point detection on blocks of bars.

The observation is ln of the mean squared log return over a block of bars that shares none with the next, so the work
is done once a block. Within a run the observations are Gaussian with unknown mean and variance, so each run length
predicts by a Student t distribution; a block begins a new run with one chance in `mean_run`.
Source: Adams and MacKay (2007); Murphy (2007) for the conjugate updates.
"""

from math import exp, lgamma, log, log1p, pi

import numpy as np

from features.compiled import compiled
from features.frame import Floats
from features.series import RETURN

COLUMNS = ("change_point", "run_length")
RUNS = 128
"""Run lengths told apart; the last means that many blocks or more."""
LEAST_BLOCKS = 12
"""At the beginning every run is a young one: the columns are unknown until so many blocks have been seen."""
LEVEL, LEVEL_WEIGHT, SHAPE, SPREAD = -14.0, 0.2, 3.0, 1.0
"""What a new run is expected to look like: the level of ln variance of a minute (a volatility of 0.1 %), and what it is
worth in observations; the inverse gamma distribution of the variance about it, 0.5 on average. Five Bitfinex symbols:
levels -17 to -12, 0.3 to 0.8 within half a day."""
SUM, IN_BLOCK, BLOCKS, YOUNG, LENGTH, CHANCE_AT = range(6)
MEAN_AT, SQUARES_AT, SIZE = CHANCE_AT + RUNS, CHANCE_AT + 2 * RUNS, CHANCE_AT + 3 * RUNS
"""The state: the block's sum of squares and its bars so far; blocks seen; the two columns; of each run length its
probability, the mean of its observations, and half of their squared deviations, both with the prior's."""
CONSTANTS = np.array([lgamma(SHAPE + k / 2 + 0.5) - lgamma(SHAPE + k / 2) - 0.5 * log(pi) for k in range(RUNS)])
"""Of the logarithm of the Student t density after k observations."""


@compiled
def change_point(x: Floats, start: int, out: Floats, state: Floats, block: int, mean_run: int, recent: int) -> None:
    """Probability that the run began within the last 4 blocks of 15 bars, and its expected length in blocks.

    Of ln realised variance; held between the ends of blocks. A block in which no price moved says nothing.
    """
    for i in range(start, x.shape[1]):
        move = x[RETURN, i]
        if move == move:  # noqa: PLR0124 - not NaN
            state[SUM] += move * move
            state[IN_BLOCK] += 1.0
            if state[IN_BLOCK] == block:
                if state[SUM] > 0.0:
                    take(state, log(state[SUM] / block), 1.0 / mean_run, recent)
                state[SUM], state[IN_BLOCK] = 0.0, 0.0
        out[0, i - start], out[1, i - start] = np.nan, np.nan
        if state[BLOCKS] >= LEAST_BLOCKS:
            out[0, i - start], out[1, i - start] = state[YOUNG], state[LENGTH]


@compiled
def take(state: Floats, value: float, hazard: float, recent: int) -> None:
    """Take one observation into the state: each run grows by it or a new one begins with it."""
    chance, mean, squares = state[CHANCE_AT:MEAN_AT], state[MEAN_AT:SQUARES_AT], state[SQUARES_AT:SIZE]
    begun = state[BLOCKS] > 0.0
    last = RUNS - 1
    # A run of k + 1 observations grows from one of k; the oldest two become one, their statistics averaged. What the
    # oldest has seen counts as one observation less, or its squares would grow beyond what its length stands for.
    squares[last] *= (SHAPE + 0.5 * last) / (SHAPE + 0.5 * RUNS)
    older = chance[last - 1] + chance[last]
    if older > 0.0:
        share = chance[last] / older
        mean[last] = mean[last - 1] + share * (mean[last] - mean[last - 1])
        squares[last] = squares[last - 1] + share * (squares[last] - squares[last - 1])
    chance[last] = (1.0 - hazard) * older
    for k in range(last - 1, 0, -1):
        chance[k] = (1.0 - hazard) * chance[k - 1]
        mean[k], squares[k] = mean[k - 1], squares[k - 1]
    chance[0], mean[0], squares[0] = hazard if begun else 1.0, LEVEL, SPREAD
    weighed = np.empty(RUNS)
    best = -np.inf
    for k in range(RUNS):
        if chance[k] > 0.0:
            weight, distance = LEVEL_WEIGHT + k, value - mean[k]
            width = 2.0 * squares[k] * (weight + 1.0) / weight
            surprise = (SHAPE + 0.5 * k + 0.5) * log1p(distance * distance / width)
            weighed[k] = log(chance[k]) + CONSTANTS[k] - 0.5 * log(width) - surprise
            best = max(best, weighed[k])
            mean[k] += distance / (weight + 1.0)
            squares[k] += 0.5 * distance * distance * weight / (weight + 1.0)
    mass = 0.0
    for k in range(RUNS):
        chance[k] = exp(weighed[k] - best) if chance[k] > 0.0 else 0.0
        mass += chance[k]
    for k in range(RUNS):
        chance[k] /= mass
    state[BLOCKS] += 1.0
    state[YOUNG], state[LENGTH] = 0.0, 0.0
    for k in range(RUNS):
        state[YOUNG] += chance[k] if k < recent else 0.0
        state[LENGTH] += (k + 1) * chance[k]
    state[YOUNG] = min(state[YOUNG], 1.0)  # but for its rounding it is

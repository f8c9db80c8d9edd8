"""The time since the volatility last changed: Bayesian online change-point detection on blocks of bars.

The observation is ln of the mean squared log return over non-overlapping blocks of bars, so it is computed once a
block. Within a run the observations are Gaussian with unknown mean and variance, so each run length predicts by a
Student t distribution; a block begins a new run with probability 1 / `mean_run`. Source: Adams and MacKay (2007);
Murphy (2007) for the conjugate updates.
"""

from math import exp, lgamma, log, log1p, pi

import numpy as np

from features.compiled import compiled, scratch
from features.frame import Floats
from features.series import RETURN

COLUMNS = ("change_point", "run_length")
RUNS = 128
"""The number of distinct run lengths; the last means that many blocks or more."""
LEAST_BLOCKS = 12
"""At the beginning every run is short: the columns are unknown for this many blocks."""
LEVEL, LEVEL_WEIGHT, SHAPE, SPREAD = -14.0, 0.2, 3.0, 1.0
"""The prior of a new run: the level of ln variance of a minute (a volatility of 0.1 %), and its weight in observations;
the inverse gamma distribution of the variance about it, 0.5 on average. Five Bitfinex symbols: levels -17 to -12, 0.3
to 0.8 within half a day."""
SUM, IN_BLOCK, BLOCKS, YOUNG, LENGTH, CHANCE_AT = range(6)
MEAN_AT, SQUARES_AT, LOGARITHM_AT, SIZE = (CHANCE_AT + part * RUNS for part in (1, 2, 3, 4))
"""The state: the block's sum of squares and its bars so far; blocks seen; the two columns; of each run length ln of its
probability, the mean of its observations, half of their squared deviations, both with the prior's, and ln of these."""
CONSTANTS = np.array(
    [
        lgamma(SHAPE + k / 2 + 0.5)
        - lgamma(SHAPE + k / 2)
        - 0.5 * log(2.0 * pi * (LEVEL_WEIGHT + k + 1.0) / (LEVEL_WEIGHT + k))
        for k in range(RUNS)
    ]
)
"""Of the logarithm of the Student t density after k observations."""


@compiled
def change_point(x: Floats, start: int, out: Floats, state: Floats, block: int, mean_run: int, recent: int) -> None:
    """Probability that the run began within the last 4 blocks of 15 bars, and its expected length in blocks.

    Of ln realised variance; constant between the ends of blocks. A block in which no price moved is ignored.
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
    """Update the state with one observation: each run grows by it or a new one begins with it."""
    chance, mean = state[CHANCE_AT:MEAN_AT], state[MEAN_AT:SQUARES_AT]
    squares, logarithm = state[SQUARES_AT:LOGARITHM_AT], state[LOGARITHM_AT:SIZE]
    known = int(min(state[BLOCKS], RUNS))
    if known == RUNS:
        join_oldest(chance, mean, squares, logarithm)
        known -= 1
    growing = log1p(-hazard)
    for k in range(known, 0, -1):  # a run of k + 1 observations grows from one of k
        chance[k] = chance[k - 1] + growing
        mean[k], squares[k], logarithm[k] = mean[k - 1], squares[k - 1], logarithm[k - 1]
    chance[0] = log(hazard) if known else 0.0
    mean[0], squares[0], logarithm[0] = LEVEL, SPREAD, log(SPREAD)
    best = -np.inf
    for k in range(known + 1):
        weight, distance, shape = LEVEL_WEIGHT + k, value - mean[k], SHAPE + 0.5 * k
        mean[k] += distance / (weight + 1.0)
        squares[k] += 0.5 * distance * distance * weight / (weight + 1.0)
        # Student's density is a power of the squares before over a power of the squares after.
        after = log(squares[k])
        chance[k] += CONSTANTS[k] + shape * logarithm[k] - (shape + 0.5) * after
        logarithm[k] = after
        best = max(best, chance[k])
    probability, mass = scratch(RUNS), 0.0
    for k in range(known + 1):
        probability[k] = exp(chance[k] - best)
        mass += probability[k]
    young, length, total = 0.0, 0.0, best + log(mass)
    for k in range(known + 1):
        chance[k] -= total
        young += probability[k] if k < recent else 0.0
        length += (k + 1) * probability[k]
    state[BLOCKS] += 1.0
    state[YOUNG] = min(young / mass, 1.0)  # it exceeds 1 only by rounding
    state[LENGTH] = length / mass


@compiled
def join_oldest(chance: Floats, mean: Floats, squares: Floats, logarithm: Floats) -> None:
    """Merge the oldest two runs into the place of the younger, with averaged statistics. The oldest counts as one
    observation less, or its squares would grow beyond its length.
    """
    last = RUNS - 1
    squares[last] *= (SHAPE + 0.5 * last) / (SHAPE + 0.5 * RUNS)
    younger, oldest = exp(chance[last - 1]), exp(chance[last])
    if younger + oldest > 0.0:
        share = oldest / (younger + oldest)
        mean[last - 1] += share * (mean[last] - mean[last - 1])
        squares[last - 1] += share * (squares[last] - squares[last - 1])
        logarithm[last - 1] = log(squares[last - 1])
    chance[last - 1] = log(younger + oldest)

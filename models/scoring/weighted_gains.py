"""The weighted mean of the gains at all horizons, in blocks of bars of which each can be bet on.

The weights are 1 / sqrt(h). The labels of horizon h overlap, so n bars of them tell about as much as n / h that do not
(Hansen and Hodrick 1980, "Forward exchange rates as optimal predictors of future spot rates"), and the standard error
of their mean is about sqrt(h / n) times the deviation of one. The weighted mean is the sum of each horizon's mean in
units of its own standard error, up to a factor (Stouffer's method; Whitlock 2005, "Combining probability from
independent tests"). Weights of 1 / h, the inverse variances, would leave the longest of four horizons with 1 %.

A block is a quarter longer than the longest horizon, and has 30 bars at least. It counts the labels of those forecasts
that were made after the last bar before it and mature within it: so what is expected of a block is known before it, as
the bet is, and blocks share no label. The bars that mature in it from earlier forecasts count only for the scale of
later blocks.
"""

from typing import NamedTuple

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import Floats, Ints

PRIOR = 5.0
"""The blocks that the standard error estimated from single bars is worth, beside the blocks' own deviation."""
LEAST = 30
"""The fewest bars of a block: in shorter ones a gain is small beside its standard error, and the bets are too large."""
COUNT, SUM, SQUARES = 0, 1, 2


class State(NamedTuple):
    """The fold's state: of the gains in the open block that count [3, H], of all in it and of all before it [3, H], of
    the blocks' weighted means [3], each as count, sum and sum of squares; and the open block's number, -1 for none.
    """

    inside: Floats
    open: Floats
    before: Floats
    blocks: Floats
    block: int


def initial(horizons: tuple[int, ...]) -> State:
    """Return the state before the first bar."""
    shape = (3, len(horizons))
    return State(np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(3), -1)


def length(horizons: tuple[int, ...]) -> int:
    """Return the number of bars of a block: with a quarter more, the longest horizon need not mature at one bar."""
    return max(LEAST, max(horizons) + max(horizons) // 4)


def weights(horizons: tuple[int, ...]) -> Floats:
    """Return the horizons' weights [H], of sum 1."""
    of = np.array(horizons, dtype=np.float64) ** -0.5
    return np.asarray(of / of.sum())


def step(state: State, horizons: tuple[int, ...], number: Ints, gain: Floats) -> tuple[State, Floats]:
    """Return the state after the gains [n, H] at the bars of these numbers [n], in order, and the closed blocks [2, n].

    At the first bar after a block they are its weighted mean, and the standard error that was to be expected of it
    before it began; elsewhere NaN, as for the first block, and for one in which no label of some horizon counts.
    """
    inside, opened, before, blocks, block, closed = _walk(
        *state, np.array(horizons), weights(horizons), length(horizons), number, gain
    )
    return State(inside, opened, before, blocks, int(block)), closed


@compiled_and_kept
def _walk(
    inside: Floats, opened: Floats, before: Floats, blocks: Floats, block: int,
    horizons: Ints, weight: Floats, bars: int, number: Ints, gain: Floats,
) -> tuple[Floats, Floats, Floats, Floats, int, Floats]:  # fmt: skip
    inside, opened, before, blocks = inside.copy(), opened.copy(), before.copy(), blocks.copy()
    closed = np.full((2, len(gain)), np.nan)
    for row in range(len(gain)):
        now = number[row] // bars
        if now != block:
            if block >= 0 and inside[COUNT].min() > 0.0:
                mean = (weight * inside[SUM] / inside[COUNT]).sum()
                if blocks[COUNT] > 0.0:
                    error = 0.0
                    for column in range(len(horizons)):
                        count = before[COUNT, column]
                        spread = before[SQUARES, column] / count - (before[SUM, column] / count) ** 2
                        error += weight[column] * np.sqrt(max(spread, 0.0) * horizons[column] / bars)
                    apart = max(blocks[SQUARES] - blocks[SUM] ** 2 / blocks[COUNT], 0.0)
                    closed[0, row] = mean
                    closed[1, row] = np.sqrt((PRIOR * error**2 + apart) / (PRIOR + blocks[COUNT] - 1.0))
                blocks[COUNT] += 1.0
                blocks[SUM] += mean
                blocks[SQUARES] += mean**2
            before += opened
            inside[:], opened[:], block = 0.0, 0.0, now
        place = number[row] % bars
        for column in range(len(horizons)):
            value = gain[row, column]
            if np.isnan(value):
                continue
            opened[COUNT, column] += 1.0
            opened[SUM, column] += value
            opened[SQUARES, column] += value**2
            if place >= horizons[column] - 1:
                inside[COUNT, column] += 1.0
                inside[SUM, column] += value
    return inside, opened, before, blocks, block, closed

"""Means over blocks of bars, since single bars are too noisy."""

from math import isfinite
from typing import NamedTuple

BARS = 60
"""The bars of a block: the longest horizon, so that only neighbouring blocks share labels."""
LEARNT = 24
"""The blocks from which a gain's standard deviation is estimated, before which there is no result: a day of minutes."""


class Block(NamedTuple):
    """The time of the last bar of a block and the mean of its bars."""

    time: int
    mean: float


class Blocks:
    """The mean of the numbers of each `BARS` bars, as counted by their times; `span` is the length of a bar in ms."""

    def __init__(self, span: int) -> None:
        self._length = span * BARS
        self._block: int | None = None
        self._sum, self._count, self._last = 0.0, 0, 0

    def update(self, time: int, value: float) -> Block | None:
        """Add the number of the bar at `time`, NaN if there is none; return the block that ended before it."""
        if not isfinite(value):
            return None
        block, ended = time // self._length, None
        if self._block is not None and block > self._block:
            ended = Block(self._last, self._sum / self._count)
            self._sum, self._count = 0.0, 0
        self._block, self._last = block, time
        self._sum += value
        self._count += 1
        return ended

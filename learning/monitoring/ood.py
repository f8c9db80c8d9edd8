"""Detects that many recent bars are out of distribution for a version (`models.drift.reference`)."""

from collections import deque

import numpy as np

from learning.monitoring.block_means import Blocks
from learning.monitoring.change import Change
from learning.monitoring.debounce import Debounce

WINDOW = 4
"""Blocks of a window."""
LIMIT = 0.15
"""The share of bars that are out of distribution: of the months after a training 1 to 3 % are, and on a single day up
to 13 %.
"""
STEPS = 6
"""Blocks for which the share must be beyond its limit."""


class DissimilarityDrift:
    """The share of bars whose dissimilarity is above 1; `span` is the length of a bar in ms."""

    def __init__(self, span: int) -> None:
        self._blocks = Blocks(span)
        self._window: deque[float] = deque(maxlen=WINDOW)
        self._many = Debounce(STEPS)

    @property
    def raised(self) -> bool:
        """Return whether many bars are out of distribution."""
        return self._many.raised

    def update(self, time: int, share: float) -> Change | None:
        """Add the share of the symbols whose bar at `time` is out of distribution, NaN if unknown."""
        ended = self._blocks.update(time, share)
        if ended is None:
            return None
        self._window.append(ended.mean)
        if len(self._window) < WINDOW:
            return None
        lately = float(np.mean(self._window))
        if not self._many.update(ended.time, beyond=lately > LIMIT, within=lately < LIMIT / 2):
            return None
        detail = f"{lately:.0%} of the bars are out of distribution"
        return Change("dissimilarity", "share", ended.time, lately, LIMIT, self._many.since or ended.time, detail)

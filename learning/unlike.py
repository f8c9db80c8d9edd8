"""Whether many bars of late are unlike all of a version's training data (`models.reference`)."""

from collections import deque

import numpy as np

from learning.blocks import Blocks
from learning.change import Change
from learning.lasting import Lasting

WINDOW = 4
"""Blocks of a window."""
LIMIT = 0.15
"""The share of unlike bars: of the months after a training 1 to 3 % are, and on a single day up to 13 %."""
STEPS = 6
"""Blocks for which the share must be beyond its limit."""


class DissimilarityDrift:
    """The share of bars whose dissimilarity is above 1; `span` is the length of a bar in ms."""

    def __init__(self, span: int) -> None:
        self._blocks = Blocks(span)
        self._window: deque[float] = deque(maxlen=WINDOW)
        self._many = Lasting(STEPS)

    @property
    def raised(self) -> bool:
        """Tell whether many bars are unlike the training data."""
        return self._many.raised

    def update(self, time: int, share: float) -> Change | None:
        """Take the share of the symbols whose bar at `time` is unlike the training data, NaN where it is unknown."""
        ended = self._blocks.update(time, share)
        if ended is None:
            return None
        self._window.append(ended.mean)
        if len(self._window) < WINDOW:
            return None
        lately = float(np.mean(self._window))
        if not self._many.update(ended.time, beyond=lately > LIMIT, within=lately < LIMIT / 2):
            return None
        detail = f"{lately:.0%} of the bars are unlike all that the model was trained on"
        return Change("dissimilarity", "share", ended.time, lately, LIMIT, self._many.since or ended.time, detail)

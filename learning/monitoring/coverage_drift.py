"""Detects a version's 90 % interval with too low coverage.

Intervals that cover more than 90 % for a day are no alarm: after a volatile day the online calibration has wide
intervals, and at the long horizons a calm day after it has coverages of 97 % and more.
"""

from collections import deque

import numpy as np

from learning.monitoring.block_means import Blocks
from learning.monitoring.change import Change
from learning.monitoring.debounce import Debounce
from topics.records import QUANTILES

LEVEL = QUANTILES[-1] - QUANTILES[0]
WINDOW = 24
"""Blocks of a window."""
ERRORS = 3.0
"""By how many standard errors of the mean over the blocks the coverage may be too low."""
LEAST = 0.05
"""By how much it must be too low at least."""
STEPS = 6
"""Blocks for which that must last."""


class CoverageDrift:
    """The coverage of one version's interval at one horizon; `span` is the length of a bar in ms."""

    def __init__(self, horizon: int, span: int) -> None:
        self.horizon = horizon
        self._blocks = Blocks(span)
        self._window: deque[float] = deque(maxlen=WINDOW)
        self._short = Debounce(STEPS)

    @property
    def raised(self) -> bool:
        """Return whether the coverage has been too low and not recovered."""
        return self._short.raised

    def update(self, time: int, hits: float) -> Change | None:
        """Add the share of the symbols whose interval covered the label that matured at the bar at `time`, NaN for
        none."""
        ended = self._blocks.update(time, hits)
        if ended is None:
            return None
        self._window.append(ended.mean)
        if len(self._window) < WINDOW:
            return None
        coverage, error = float(np.mean(self._window)), float(np.std(self._window) / np.sqrt(WINDOW))
        limit = LEVEL - max(LEAST, ERRORS * error)
        if not self._short.update(ended.time, beyond=coverage < limit, within=coverage > (limit + LEVEL) / 2):
            return None
        detail = f"the {LEVEL:.0%} interval covered {coverage:.1%} of the labels"
        since = self._short.since or ended.time
        return Change("coverage", "window", ended.time, coverage, limit, since, detail, horizon=self.horizon)

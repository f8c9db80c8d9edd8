"""Detects that a model has lost its gain over the naive forecast.

The gain of a bar is (L_naive - L) / (L_naive + L), of the pinball losses, in [-1, 1], averaged over the symbols: higher
volatility increases both losses and leaves the gain unchanged. Two detectors monitor its means over blocks (river's
ADWIN: Bifet and Gavalda 2007; and Page 1954's test, which alone detects early a fall as small as the noise). A
detection is only a candidate, and frequent: an alarm depends on how much of the gain is lost, and whether it is still
lost some blocks later.
"""

from typing import Any

import numpy as np

from features.frame import Floats
from learning.monitoring.block_means import LEARNT, Blocks
from learning.monitoring.change import Change

CONFIDENCE = 0.002
SLACK, THRESHOLD = 0.5, 8.0
"""Of Page's test, in standard deviations of a block: the tolerated fall, and the limit for the sum of the excess."""
MOST = 6.0
"""The bound on a block's deviation, in standard deviations."""
EFFECT = 1.25
"""The least fall for an alarm, in standard deviations of the blocks before."""
LEAST = 0.015
"""The least fall for an alarm, as a share of the loss; half of the earlier gain must also be lost."""
NOTHING = 1e-6
"""The lower bound of a gain's standard deviation: that of a model equal to the naive one is 0."""
PERSISTENCE = 6
"""The number of blocks after a detection at which the fall must persist."""


class ErrorDrift:
    """The fall of one version's gain at one horizon; `span` is the length of a bar in ms."""

    def __init__(self, horizon: int, span: int) -> None:
        self.horizon = horizon
        self.raised = False
        self._blocks = Blocks(span)
        self._begin()

    def _begin(self) -> None:
        from river.drift import (  # noqa: PLC0415 - imports scikit-learn, a second for pages that detect nothing
            ADWIN,
            PageHinkley,
        )

        self._times: list[int] = []
        self._means: list[float] = []
        self._adwin: Any = ADWIN(delta=CONFIDENCE, clock=1, grace_period=LEARNT)  # type: ignore[no-untyped-call] # river has no types here
        self._page: Any = PageHinkley(LEARNT, SLACK, THRESHOLD, alpha=1.0, mode="down")
        self._warned: tuple[int, str] | None = None
        self._recovered, self._enough = 0, 0.0

    def update(self, time: int, gain: float) -> Change | None:
        """Add the gain realised at the bar at `time`, NaN if there was none; return the change if it has lasted."""
        ended = self._blocks.update(time, gain)
        return None if ended is None else self._closed(*ended)

    def _closed(self, time: int, mean: float) -> Change | None:
        if self.raised:
            self._recovered = self._recovered + 1 if mean >= self._enough else 0
            if self._recovered >= PERSISTENCE:
                self.raised = False
                self._begin()
            return None
        self._times.append(time)
        self._means.append(mean)
        if len(self._means) == LEARNT:
            for before in self._means:
                self._detect(before)
        elif len(self._means) > LEARNT:
            word = self._detect(mean)
            self._warned = self._warned or word
        if self._warned is None or len(self._means) - self._warned[0] < PERSISTENCE:
            return None
        (_, detector), self._warned = self._warned, None
        return self._fallen(detector)

    def _detect(self, mean: float) -> tuple[int, str] | None:
        """Return the number of blocks, and the detector that found the latest of them to be lower, if one did."""
        deviation = float(np.std(self._means[: max(LEARNT, len(self._means) - PERSISTENCE)]))
        if deviation < NOTHING:
            return None
        value, before = min(max(mean / deviation, -MOST), MOST), self._adwin.estimation
        self._adwin.update(value)
        self._page.update(value)
        if self._adwin.drift_detected and self._adwin.estimation < before:
            return len(self._means), "ADWIN"
        return (len(self._means), "Page-Hinkley") if self._page.drift_detected else None

    def _fallen(self, detector: str) -> Change | None:
        """Return the change if the fall is large enough, both since it began and recently."""
        means = np.array(self._means)
        at = _change_point(means)
        before, after, late = means[:at].mean(), means[at:].mean(), means[-PERSISTENCE:].mean()
        limit = max(LEAST, before / 2)
        effect = float((before - after) / means[:at].std())
        if min(before - after, before - late) < limit or effect < EFFECT:
            return None
        self.raised, self._enough = True, before - limit / 2
        detail = f"the gain over naive fell from {before:+.1%} to {after:+.1%} of the loss"
        return Change(
            "errors", detector, self._times[-1], effect, EFFECT, self._times[at], detail, horizon=self.horizon
        )


def _change_point(means: Floats) -> int:
    """Return where the mean has most likely fallen: the split with the largest standardised difference."""
    size, total = len(means), np.cumsum(means)
    split = np.arange(LEARNT, size - PERSISTENCE // 2)
    before, after = total[split - 1] / split, (total[-1] - total[split - 1]) / (size - split)
    return int(split[np.argmax((before - after) * np.sqrt(split * (size - split)))])

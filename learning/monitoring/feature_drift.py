"""Detects changes of the features' distribution against the training data, by the population stability index."""

from collections import deque
from operator import itemgetter

import numpy as np

from features.frame import Floats, Ints
from learning.monitoring.change import Change
from learning.monitoring.debounce import Debounce
from models.drift.reference import Reference

PARTS = 4
"""How much of a window must be new for another evaluation."""
LIMIT = 0.2
"""The share of columns beyond their limits that counts as a change."""
STEPS = 5
"""The number of evaluations for which it must be exceeded: the first and the last window share no bar."""
NAMED = 3
"""The number of columns named in an alarm."""


class FeatureDrift:
    """The recent distribution of the columns against the training data's; `span` is the length of a bar in ms."""

    def __init__(self, reference: Reference, span: int) -> None:
        self._reference = reference
        self._length = span * max(1, reference.window // PARTS)
        self._parts: deque[list[Floats]] = deque(maxlen=PARTS)
        self._part: int | None = None
        self._last = 0
        self._other = Debounce(STEPS)

    @property
    def raised(self) -> bool:
        """Return whether the features' distribution has changed."""
        return self._other.raised

    def update(self, time: Ints, values: Floats) -> list[Change]:
        """Add rows [n, F] of the bars at `time` [n], in the order of time, of all symbols."""
        changes = []
        parts = time // self._length
        for part in np.unique(parts).tolist():
            if self._part is not None and part > self._part and len(self._parts) == PARTS:
                changes += self._looked()
            rows = parts == part
            if part != self._part:
                self._parts.append([])
            self._parts[-1].append(values[rows])
            self._part, self._last = part, int(time[rows][-1])
        return changes

    def _looked(self) -> list[Change]:
        indices = self._reference.psi(np.concatenate([rows for part in self._parts for rows in part]))
        beyond = {name: index for name, index in indices.items() if index > self._reference.limits[name]}
        share = len(beyond) / max(1, len(indices))
        if not self._other.update(self._last, beyond=share > LIMIT, within=share < LIMIT / 2):
            return []
        named = ", ".join(name for name, _ in sorted(beyond.items(), key=itemgetter(1), reverse=True)[:NAMED])
        detail = f"{len(beyond)} of {len(indices)} columns have another distribution, most of all {named}"
        return [Change("features", "PSI", self._last, share, LIMIT, self._other.since or self._last, detail)]

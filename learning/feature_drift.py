"""Whether the features are distributed otherwise than in the training data, by the population stability index."""

from collections import deque
from operator import itemgetter

import numpy as np

from features.frame import Floats, Ints
from learning.change import Change
from learning.lasting import Lasting
from models.reference import Reference

PARTS = 4
"""A window is looked at whenever a part of it is new."""
LIMIT = 0.2
"""The share of columns that are beyond their limits."""
STEPS = 5
"""Looks at which it must be larger: the last of these windows has no bar that the first one had."""
NAMED = 3
"""Columns that an alarm names."""


class FeatureDrift:
    """The columns of late beside the training data's; `span` is the length of a bar in ms."""

    def __init__(self, reference: Reference, span: int) -> None:
        self._reference = reference
        self._length = span * max(1, reference.window // PARTS)
        self._parts: deque[list[Floats]] = deque(maxlen=PARTS)
        self._part: int | None = None
        self._last = 0
        self._other = Lasting(STEPS)

    @property
    def raised(self) -> bool:
        """Tell whether the features are distributed otherwise."""
        return self._other.raised

    def update(self, time: Ints, values: Floats) -> list[Change]:
        """Take rows [n, F] of the bars at `time` [n], in the order of time, of all symbols."""
        found = []
        parts = time // self._length
        for part in np.unique(parts).tolist():
            if self._part is not None and part > self._part and len(self._parts) == PARTS:
                found += self._looked()
            rows = parts == part
            if part != self._part:
                self._parts.append([])
            self._parts[-1].append(values[rows])
            self._part, self._last = part, int(time[rows][-1])
        return found

    def _looked(self) -> list[Change]:
        indices = self._reference.psi(np.concatenate([rows for part in self._parts for rows in part]))
        beyond = {name: index for name, index in indices.items() if index > self._reference.limits[name]}
        share = len(beyond) / max(1, len(indices))
        if not self._other.update(self._last, beyond=share > LIMIT, within=share < LIMIT / 2):
            return []
        named = ", ".join(name for name, _ in sorted(beyond.items(), key=itemgetter(1), reverse=True)[:NAMED])
        detail = f"{len(beyond)} of {len(indices)} columns are distributed otherwise, most of all {named}"
        return [Change("features", "PSI", self._last, share, LIMIT, self._other.since or self._last, detail)]

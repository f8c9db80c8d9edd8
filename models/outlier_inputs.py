"""Handles inputs after a wrong price: for a day the windows of some features still contain it, though the scale does
not.

Then an input outside the range of training carries no information, and the trees get the median of training instead. At
all other times inputs are unchanged: after a real crash they are rightly extreme. Standardisation leaves out the days
after wild returns, wrong or real.
"""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from features.frame import Floats, Ints
from models.ewma_volatility import AWAY, Walk
from models.json_type import JSON

Flags = npt.NDArray[np.bool_]

MEMORY = 1_440
"""The number of bars for which a wrong price may still be in an input."""
TAILS = (0.001, 0.999)
"""The quantiles that bound the range of training."""
ROWS = 50_000
"""The most rows for the quantiles: of more, every second, third ... is used."""
UNBOUNDED = 1e300


class InputRange(NamedTuple):
    """The least, the middle and the greatest of each input in training: each [F]."""

    low: Floats
    middle: Floats
    high: Floats

    @classmethod
    def none(cls, inputs: int) -> Self:
        """Return infinite bounds."""
        return cls(np.full(inputs, -UNBOUNDED), np.zeros(inputs), np.full(inputs, UNBOUNDED))

    @classmethod
    def of(cls, x: Floats) -> Self:
        """Return the bounds of the inputs [n, F]; an input that was never known has none."""
        result = cls.none(x.shape[1])
        for column, values in enumerate(x[:: -(-len(x) // ROWS) or 1].T):
            known = values[np.isfinite(values)]
            if len(known):
                bounds = np.quantile(known, (TAILS[0], 0.5, TAILS[1]))
                result.low[column], result.middle[column], result.high[column] = bounds
        return result

    @classmethod
    def from_json(cls, saved: JSON) -> Self:
        """Read the output of `to_json`."""
        return cls(*(np.array(saved[name]) for name in cls._fields))

    def to_json(self) -> JSON:
        """Return the numbers as plain lists, and how long they apply."""
        return {"memory": MEMORY} | {name: values.tolist() for name, values in self._asdict().items()}

    def seen(self, x: Floats, time: Ints, home: Ints, bar: int) -> Floats:
        """Return the inputs [n, F] of rows at `time` [n]; the last wrong price was over at `home` [n], -1 for none."""
        after = (home >= 0) & (time - home < MEMORY * bar)
        if not after.any():
            return x
        beyond = after[:, None] & ((x < self.low) | (x > self.high))
        return np.where(beyond, self.middle.astype(x.dtype), x)


def settled(walk: Walk, time: Ints, bar: int) -> Flags:
    """Return which rows at `time` [n] have no wild return in the `MEMORY` bars before; all, if those are few."""
    wild = time[(walk.turns & AWAY) > 0]
    last = np.concatenate([[-MEMORY * bar - 1], wild])[np.searchsorted(wild, time, side="right")]
    result: Flags = time - last >= MEMORY * bar
    return result if result.mean() > 0.5 else np.ones(len(time), dtype=bool)

"""Columns of a plot, and the least that must be sent to the browser when they have changed."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]
Columns = dict[str, Column]

PATCH_ROWS = 64
"""With more changed rows than this, sending all columns costs no more."""


@dataclass(frozen=True)
class Change:
    """How to turn the old columns into the new ones: append `rows` new rows, then overwrite the rows `patch`."""

    kind: Literal["none", "extend", "replace"]
    rows: int = 0
    patch: tuple[int, ...] = ()


def compare(old: Columns | None, new: Columns, key: str = "time") -> Change:
    """Return how the new columns follow from the old, both ascending in `key`.

    The new rows may drop old ones at the front (a rolling window) and add some at the end.
    """
    if old is None or not len(old[key]) or not len(new[key]):
        return Change("none" if old is not None and len(old[key]) == len(new[key]) else "replace")
    start = int(np.searchsorted(old[key], new[key][0]))
    kept = len(old[key]) - start
    if kept <= 0 or kept > len(new[key]) or not np.array_equal(old[key][start:], new[key][:kept]):
        return Change("replace")
    differs = np.zeros(kept, dtype=bool)
    for name, column in new.items():
        before, after = old[name][start:], column[:kept]
        differs |= ~((before == after) | (np.isnan(before) & np.isnan(after)))
    patch = tuple(int(row) for row in np.flatnonzero(differs))
    rows = len(new[key]) - kept
    if len(patch) > PATCH_ROWS:
        return Change("replace")
    if not rows and not patch and start == 0:
        return Change("none")
    # Rows are only dropped at the front by adding at the end: a window that shrinks is sent completely.
    return Change("extend", rows, patch) if rows or start == 0 else Change("replace")

"""The rows of long columns that are sent to a browser: no more than a plot can show."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


def envelope(x: Floats, y: Floats, most: int, view: tuple[float, float] | None = None) -> Rows:
    """Return at most about `most` rows of a curve ascending in `x`: of each of equal parts the lowest and the highest.

    The first and the last row are kept. Half of the rows are of the part in `view`, if it is given, so that what is
    zoomed into has more detail. Rows whose `y` is NaN are left out.
    """
    known = np.flatnonzero(np.isfinite(y))
    if view is not None:
        inside = known[(x[known] >= view[0]) & (x[known] <= view[1])]
        if 0 < len(inside) < len(known):
            rows = np.concatenate([_extremes(x, y, known, most // 2), _extremes(x, y, inside, most // 2)])
            return np.unique(rows)
    return _extremes(x, y, known, most)


def _extremes(x: Floats, y: Floats, rows: Rows, most: int) -> Rows:
    if len(rows) <= most:
        return rows
    low, high = float(x[rows[0]]), float(x[rows[-1]])
    buckets = max(1, (most - 2) // 2)
    place = np.minimum(((x[rows] - low) / ((high - low) or 1.0) * buckets).astype(np.int64), buckets - 1)
    order = np.lexsort((y[rows], place))
    sorted_place = place[order]
    first = np.flatnonzero(np.r_[True, np.diff(sorted_place) > 0])
    last = np.r_[first[1:], len(order)] - 1
    kept = np.concatenate([order[first], order[last], [0, len(rows) - 1]])
    return np.unique(rows[kept])


def evenly(rows: Rows, most: int) -> Rows:
    """Return at most `most` of the rows, evenly spread over them."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]

"""The range of the price axis, robust to short outliers and very wide intervals. A price is an outlier if it differs by
a factor of two both from the closes up to it and from those from it on: a lasting crash is not, nor one of three bars,
nor a smaller one. The newest bar is compared with those before it, and again with the next: a real crash by more is
outside the axis, and marked, for one bar.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from dashboard.live.columns import Column, Columns

NEIGHBOURS = 5
"""The number of closes up to a bar, and from it on, with whose medians it is compared: two wrong ones of five move
none."""
FACTOR = 2.0
AROUND = 90
"""The number of bars before and after a bar with which an interval's width is compared."""
LEAST_SHARE = 0.002
"""What a market moves at least, as a share of its price: where it stands still, an interval is not cut to nothing."""
PRICES = ("open", "high", "low", "close")


def measured(bars: Columns) -> Columns:
    """Return for each bar the prices from ``least`` to ``most`` that the axis has to hold, and from ``floor`` to
    ``ceiling`` what it may hold of an interval: as much again as the candles around it, to each side."""
    low, high = _ordinary(bars)
    floor, ceiling = _room(low, high)
    inside = [np.clip(bars[name], floor, ceiling) for name in ("lower", "upper", "realised")]
    least, most = np.fmin.reduce([low, *inside]), np.fmax.reduce([high, *inside])
    return {"least": least, "most": most, "floor": floor, "ceiling": ceiling}


def _ordinary(bars: Columns) -> tuple[Column, Column]:
    """Return the lowest and the highest of each bar's prices that are not astray."""
    # At both ends the closes are mirrored: a bar without any after it is compared twice with those before.
    padded = np.pad(bars["close"], NEIGHBOURS - 1, mode="reflect")
    medians = np.median(sliding_window_view(padded, NEIGHBOURS), axis=1)
    before, after = medians[: 1 - NEIGHBOURS], medians[NEIGHBOURS - 1 :]
    low, high = np.minimum(before, after), np.maximum(before, after)
    prices = np.stack([bars[name] for name in PRICES])
    known = np.where((prices >= low / FACTOR) & (prices <= high * FACTOR), prices, np.nan)
    lowest, highest = np.fmin.reduce(known), np.fmax.reduce(known)
    none = np.isnan(lowest)
    return np.where(none, low, lowest), np.where(none, high, highest)


def _room(low: Column, high: Column) -> tuple[Column, Column]:
    """Return from where to where an interval may reach at each bar."""
    width = 2 * AROUND + 1
    low = sliding_window_view(np.pad(low, AROUND, mode="edge"), width).min(axis=1)
    high = sliding_window_view(np.pad(high, AROUND, mode="edge"), width).max(axis=1)
    span = np.maximum(high - low, LEAST_SHARE * high)
    return low - span, high + span

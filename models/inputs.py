"""Turns features into model inputs: prices relative to the close, and quantities that grow with volatility over it."""

from functools import cache

import numpy as np
import numpy.typing as npt

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats, Ints
from features.table import KINDS

Flags = npt.NDArray[np.bool_]


def kind(name: str) -> str:
    """Return the kind of a column's unit (see `features.table.UNITS`), of whichever timeframe it is."""
    return KINDS[name.partition("@")[0]]


def usable(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that are comparable between symbols and times, after `scale_free`."""
    return tuple(name for name in names if kind(name) not in ("amount", "history"))


def scale_free(frame: FeatureFrame, places: list[int], names: tuple[str, ...], sigma: Floats) -> Floats:
    """Return the columns [n, F] at these places, of these names, such that symbols and times compare.

    `sigma` [n] is the volatility of a log return. A price level p becomes (p / close - 1) / sigma, a change of price c
    becomes c / close / sigma, a movement m becomes m / sigma; scale-free columns are unchanged.
    """
    return _seen(frame.values, frame.close, sigma, *_kinds(tuple(places), names))


@cache
def _kinds(places: tuple[int, ...], names: tuple[str, ...]) -> tuple[Ints, Flags, Flags, Flags]:
    """Return the places, and which columns are levels of a price, in units of the price, and grow with volatility."""
    kinds = [kind(name) for name in names]
    level = np.array([which == "level" for which in kinds])
    priced = np.array([which in ("level", "change") for which in kinds])
    moving = priced | np.array([which == "movement" for which in kinds])
    return np.array(places, dtype=np.int64), level, priced, moving


@compiled_and_kept
def _seen(
    values: Floats, close: Floats, sigma: Floats, places: Ints, level: Flags, priced: Flags, moving: Flags
) -> Floats:
    seen = np.empty((len(places), len(values)))
    for column in range(len(places)):
        for row in range(len(values)):
            value = values[row, places[column]]
            if priced[column]:
                value /= close[row]
            if level[column]:
                value -= 1.0
            if moving[column]:
                value /= sigma[row]
            seen[column, row] = value
    return seen.T


def columns(wanted: tuple[str, ...], names: tuple[str, ...], model: str) -> list[int]:
    """Return the indices of the wanted columns.

    Raises ValueError with the missing ones.
    """
    missing = [name for name in wanted if name not in names]
    if missing:
        raise ValueError(f"model {model!r} needs features that are not there: {', '.join(missing)}")
    return [names.index(name) for name in wanted]

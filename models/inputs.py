"""What models see of the features: prices from the close, and all that grows with volatility over the volatility."""

from functools import cache

import numpy as np
import numpy.typing as npt

from features.frame import FeatureFrame, Floats
from features.table import KINDS

Flags = npt.NDArray[np.bool_]


def kind(name: str) -> str:
    """Return the kind of a column's unit (see `features.table.UNITS`), of whichever timeframe it is."""
    return KINDS[name.partition("@")[0]]


def usable(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that mean the same for every symbol and at every time, seen through `scale_free`."""
    return tuple(name for name in names if kind(name) not in ("amount", "history"))


def scale_free(frame: FeatureFrame, places: list[int], names: tuple[str, ...], sigma: Floats) -> Floats:
    """Return the columns [n, F] at these places, of these names, such that symbols and times compare.

    `sigma` [n] is the volatility of a log return. A price level p becomes (p / close - 1) / sigma, a change of price c
    becomes c / close / sigma, a movement m becomes m / sigma; what is free of scale stays.
    """
    values = frame.values[:, places]
    level, priced, moving = _kinds(names)
    relative = np.where(priced, values / frame.close[:, None], values) - level
    seen: Floats = np.where(moving, relative / sigma[:, None], relative)
    return seen


@cache
def _kinds(names: tuple[str, ...]) -> tuple[Flags, Flags, Flags]:
    """Return which columns are levels of a price, which are in units of the price, and which grow with volatility."""
    kinds = [kind(name) for name in names]
    level = np.array([which == "level" for which in kinds])
    priced = np.array([which in ("level", "change") for which in kinds])
    return level, priced, priced | np.array([which == "movement" for which in kinds])


def columns(wanted: tuple[str, ...], names: tuple[str, ...], model: str) -> list[int]:
    """Return where the wanted columns stand.

    Raises ValueError that names those that are missing.
    """
    missing = [name for name in wanted if name not in names]
    if missing:
        raise ValueError(f"model {model!r} needs features that are not there: {', '.join(missing)}")
    return [names.index(name) for name in wanted]

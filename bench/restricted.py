"""The compiled fold for some of the features only: what peers are compared with, column for column."""

from collections.abc import Callable, Sequence
from types import CellType, FunctionType

import numpy as np

from features import fold
from features.compiled import compiled_and_kept
from features.frame import Floats
from features.table import Feature

Fold = Callable[[Floats, Floats, float, Floats, Floats, int], Floats]


def restricted(features: Sequence[Feature]) -> Fold:
    """Return `features.fold.fold` made of these features alone, `out` with their columns; it takes the same buffers.

    The code is the fold's own, with other features in place of the whole table's.
    """
    whole: FunctionType = getattr(fold.fold, "py_func")  # noqa: B009 - numba's, of which mypy does not know
    globals_ = whole.__globals__ | {
        "_features": fold.calls(features),
        "_WARMUPS": np.array([feature.warmup for feature in features for _ in feature.names]),
        "COLUMNS": columns(features),
    }
    # In the closure, by which numba finds the machine code that it keeps.
    name = repr((whole.__closure__[0].cell_contents, [feature.names for feature in features]))
    return compiled_and_kept(FunctionType(whole.__code__, globals_, whole.__name__, None, (CellType(name),)))


def columns(features: Sequence[Feature]) -> int:
    """Return the number of columns that these features write."""
    return sum(len(feature.names) for feature in features)

"""The compiled fold for some of the features only: what peers are compared with, column for column."""

import dis
from collections.abc import Callable, Sequence
from types import CellType, FunctionType

import numpy as np

from features import fold, series
from features.compiled import compiled, compiled_and_kept
from features.frame import Floats
from features.table import Feature

LOGARITHMS = {"RETURN", "LOG_RANGE", "LOG_BODY", "LOG_OPENING", "ROGERS_SATCHELL"}
Fold = Callable[[Floats, Floats, float, Floats, Floats, int], Floats]


def restricted(features: Sequence[Feature]) -> Fold:
    """Return `features.fold.fold` made of these features alone, `out` with their columns; `fold.fresh()` begins it.

    The code is the fold's own, with other features in place of the whole table's, no more history than they need, and
    of the derived series those that they read.
    """
    history = max(feature.warmup for feature in features)
    whole = source(fold.fold)
    logarithms = any(LOGARITHMS & names_in(feature.function) for feature in features)
    globals_ = whole.__globals__ | {
        "derive": series.derive if logarithms else without_logarithms,
        "_features": fold.calls(features),
        "_WARMUPS": np.array([feature.warmup for feature in features for _ in feature.names]),
        "COLUMNS": columns(features),
        "HISTORY": history,
        "WIDTH": history + 1,
        "SIZE": fold.HISTORY_AT + series.KEPT * (history + 1),
    }
    # In the closure, by which numba finds the machine code that it keeps.
    (sources,) = whole.__closure__ or ()
    name = repr((sources.cell_contents, history, [feature.names for feature in features]))
    made = FunctionType(whole.__code__, globals_, "restricted", None, (CellType(name),))
    made.__qualname__ = made.__name__  # two machine codes of one name would mix up what they refer to
    return compiled_and_kept(made)


def source(function: Callable[..., object]) -> FunctionType:
    """Return the function that was compiled."""
    result: FunctionType = getattr(function, "py_func")  # noqa: B009 - numba's, of which mypy does not know
    return result


def names_in(function: Callable[..., object]) -> set[str]:
    """Return the global names that a compiled function reads, and that the compiled functions read that it calls."""
    results, left = set[str](), [source(function)]
    while left:
        reader = left.pop()
        names = {step.argval for step in dis.get_instructions(reader) if step.opname == "LOAD_GLOBAL"} - results
        results |= names
        parts = [reader.__globals__[name] for name in names if name in reader.__globals__]
        left += [source(part) for part in parts if hasattr(part, "py_func")]
    return results


@compiled
def without_logarithms(x: Floats, start: int, _: float, __: float) -> None:
    """Derive the series that are no logarithms, for features that read none."""
    series.derive_ranges(x, start)


def columns(features: Sequence[Feature]) -> int:
    """Return the number of columns that these features write."""
    return sum(len(feature.names) for feature in features)

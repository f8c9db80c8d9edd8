"""The compiled fold over rows: one call computes every column of the table, for one bar or for thousands."""

import hashlib
import inspect
import sys
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from features import (
    averages,
    change_points,
    compiled,
    extremes,
    indicators,
    last_window,
    power_sums,
    regimes,
    series,
    windows,
)
from features.compiled import compiled as compile_part
from features.compiled import compiled_and_kept
from features.frame import Floats
from features.series import KEPT, RAW, SERIES, TIME, derive
from features.table import FEATURES, HISTORY, LONGEST_GAP, Feature

LAST_TIME, COUNT, MEMORY = 0, 1, 2
"""The state buffer: time of the last bar (ms, -1 before the first); bars since the beginning; each feature's own state;
then the history [KEPT, WIDTH], whose last column is the last bar."""
HISTORY_AT = MEMORY + sum(feature.state for feature in FEATURES)
WIDTH = HISTORY + 1
SIZE = HISTORY_AT + KEPT * WIDTH
ROWS = RAW + 1
"""The input series: the raw ones, and the time."""
COLUMNS = sum(len(feature.names) for feature in FEATURES)

_WARMUPS = np.array([feature.warmup for feature in FEATURES for _ in feature.names])
"""The warm-up of each column."""


def fresh() -> Floats:
    """Return the initial state buffer [SIZE] of a symbol."""
    buffer = np.zeros(SIZE)
    buffer[LAST_TIME] = -1.0
    buffer[HISTORY_AT:] = np.nan
    return buffer


def calls(wanted: Collection[Feature]) -> Callable[[Floats, int, Floats, Floats, Floats], None]:
    """Return one function that calls each selected feature's with its own columns, state and parameters.

    It is generated as source, because compiled code cannot loop over functions with different parameters. The state is
    the whole table's, whichever features are selected.
    """
    lines = ["def features(x, start, out, state, fitted):"]
    numbers: list[float] = []
    column, memory = 0, MEMORY
    for number, feature in enumerate(FEATURES):
        if feature not in wanted:
            memory += feature.state
            continue
        end, memory_end = column + len(feature.names), memory + feature.state
        own = [f"state[{memory}:{memory_end}]"] if feature.state else []
        own += ["fitted"] if feature.fitted else []
        # Read from an array: with literals each function would be compiled for each value.
        values = [f"{type(value).__name__}(numbers[{len(numbers) + k}])" for k, value in enumerate(feature.parameters)]
        numbers += feature.parameters
        lines.append(f"    feature_{number}({', '.join(['x', 'start', f'out[{column}:{end}]', *own, *values])})")
        column, memory = end, memory_end
    namespace: dict[str, Any] = {f"feature_{number}": feature.function for number, feature in enumerate(FEATURES)}
    namespace["numbers"] = np.array(numbers)
    exec("\n".join(lines), namespace)  # noqa: S102 - made of the table's own numbers
    made: Callable[[Floats, int, Floats, Floats, Floats], None] = compile_part(namespace["features"])
    return made


def _sources() -> str:
    """Return a hash of all code that is compiled into the fold; numba itself looks at the fold's file only."""
    families = [module for name, module in sys.modules.items() if name.startswith(f"{indicators.__name__}.")]
    shared = (averages, change_points, compiled, extremes, last_window, power_sums, regimes, series, windows)
    texts = sorted(inspect.getsource(module) for module in (*families, *shared))
    rows = [(feature.names, feature.function.__name__, feature.parameters, feature.state) for feature in FEATURES]
    return hashlib.sha256(repr((rows, _WARMUPS.tolist(), texts)).encode()).hexdigest()


_features = calls(FEATURES)


def _fold(sources: str) -> Callable[[Floats, Floats, float, Floats, Floats, int], Floats]:
    @compiled_and_kept
    def fold(buffer: Floats, rows: Floats, interval: float, fitted: Floats, out: Floats, first: int) -> Floats:
        _ = sources  # in the closure, so that kept machine code of other sources is not used
        n = rows.shape[1]
        anew = rows[RAW, 0] - buffer[LAST_TIME] > (LONGEST_GAP + 1) * interval
        state = np.empty(HISTORY_AT + SERIES * WIDTH)
        # One row's series are written where the next state has them: copying them would take as long as the rest.
        x = state[HISTORY_AT:].reshape((SERIES, WIDTH)) if n == 1 else np.empty((SERIES, HISTORY + n))
        for s in range(KEPT):
            for i in range(HISTORY):
                x[s, i] = np.nan if anew else buffer[HISTORY_AT + s * WIDTH + 1 + i]
        for s in range(RAW):
            for i in range(n):
                x[s, HISTORY + i] = rows[s, i]
        for i in range(n):
            x[TIME, HISTORY + i] = rows[RAW, i]
        derive(x, HISTORY, buffer[LAST_TIME], interval)
        for k in range(HISTORY_AT):
            state[k] = 0.0 if anew else buffer[k]
        whole = first == 0 and n == out.shape[1]
        values = out if whole else np.empty((COLUMNS, n))
        # With a constant, every function that takes it would be compiled a second time.
        _features(x, x.shape[1] - n, values, state, fitted)
        seen = 0.0 if anew else buffer[COUNT]
        for column in range(COLUMNS if seen < HISTORY else 0):
            for row in range(min(n, int(max(_WARMUPS[column] - 1 - seen, 0)))):
                values[column, row] = np.nan
        for column in range(0 if whole else COLUMNS):
            for row in range(n):
                out[column, first + row] = values[column, row]
        state[COUNT] = seen + n
        state[LAST_TIME] = rows[RAW, n - 1]
        for s in range(0 if n == 1 else KEPT):
            for i in range(WIDTH):
                state[HISTORY_AT + s * WIDTH + i] = x[s, n - 1 + i]
        return state[:SIZE]

    return fold


fold = _fold(_sources())
"""fold(buffer [SIZE], rows [ROWS, n], interval in ms, fitted [P], out [F, N], first) -> the new buffer.

It fills out's columns first ... first + n. Rows are in time order and later than the buffer's last. If the first
follows a gap of more than `LONGEST_GAP` intervals, the state except the last time is reset; no other row may follow
such a gap. `fitted` are the fitted parameters. All arrays are C-contiguous: another layout would need a compilation of
its own (a minute).
"""

"""Bars to features and regimes: the fold that the stream, training and `foretick features` all call."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self, cast

import numpy as np

from features import fold, regimes
from features.frame import BarFrame, FeatureFrame, Floats, Ints
from features.table import FINGERPRINT, LONGEST_GAP, NAMES
from topics.records import Regime
from topics.units import measure

BLOCK = 2_048
"""Rows in one compiled call, at most: what it works on stays in the processor's cache."""
REGIME_COLUMN = NAMES.index(regimes.COLUMNS[0])


@dataclass(frozen=True)
class FeatureState:
    """All that one symbol and interval's features remember. Never changed in place: `step` returns a new one."""

    buffer: Floats

    @property
    def last_time(self) -> int:
        """Time of the last bar taken (ms), -1 before the first."""
        return int(self.buffer[fold.LAST_TIME])

    def dumps(self) -> bytes:
        """Return the state as bytes: the fingerprint, then the numbers, exactly."""
        return FINGERPRINT.encode() + self.buffer.astype("<f8", copy=False).tobytes()

    @classmethod
    def loads(cls, data: bytes) -> Self:
        """Read what `dumps` wrote. Raises ValueError where it belongs to another definition of the features."""
        mark = len(FINGERPRINT)
        found = data[:mark].decode("ascii", errors="replace")
        if found != FINGERPRINT:
            raise ValueError(f"feature state of definition {found!r}, not {FINGERPRINT!r}: replay the bars")
        if len(data) != mark + 8 * fold.SIZE:
            raise ValueError(f"feature state of {len(data)} bytes, not {mark + 8 * fold.SIZE}: replay the bars")
        return cls(np.frombuffer(data, dtype="<f8", offset=mark).astype(np.float64))


class FeatureStep:
    """The fold from bars to features and regimes.

    `names` are the columns of a FeatureFrame, `fingerprint` names their definition. Making one compiles the code:
    about 15 s in the first process on a machine; later ones find it in numba's cache in less than a second.
    """

    names: tuple[str, ...] = NAMES
    fingerprint: str = FINGERPRINT

    def __init__(self) -> None:
        fold.fold(fold.fresh(), np.ones((fold.ROWS, 2))[:, :1], 1.0, np.empty(0), np.empty((len(NAMES), 2))[:, :1])
        # That was for arrays that lie in any way. A row alone lies in another, and would have all compiled once more.
        cast(Any, fold.fold).disable_compile()

    def initial(self) -> FeatureState:
        """Return the state of a symbol that was not seen yet."""
        return FeatureState(fold.fresh())

    def step(self, state: FeatureState, frame: BarFrame) -> tuple[FeatureState, FeatureFrame, list[Regime]]:
        """Return the new state, the features of each new bar, and the regimes of those where it is known.

        Bars that are not later than all before them are skipped: they were delivered again. After a gap of more than
        `LONGEST_GAP` intervals everything but the last time is forgotten, and the indicators warm up again. Bars that
        are not cut by time have no gaps.
        """
        state, features = self.features(state, frame)
        return state, features, regimes.regimes(features, REGIME_COLUMN)

    def features(self, state: FeatureState, frame: BarFrame) -> tuple[FeatureState, FeatureFrame]:
        """Return the same without the regimes' records, whose posterior is among the features."""
        buffer, features = _fold(state.buffer, frame)
        return FeatureState(buffer), features

    def compute(self, frames: Iterable[BarFrame]) -> Iterator[FeatureFrame]:
        """Yield the features of the frames of one symbol, from the beginning: the same fold, offline."""
        buffer = fold.fresh()
        for frame in frames:
            buffer, features = _fold(buffer, frame)
            yield features


def _fold(buffer: Floats, frame: BarFrame) -> tuple[Floats, FeatureFrame]:
    frame = _new_rows(frame, int(buffer[fold.LAST_TIME]))
    values = np.empty((len(NAMES), len(frame)))  # a column lies together: that is how it is computed and stored
    features = FeatureFrame(frame.symbol, frame.interval, FINGERPRINT, frame.time, frame.close, values.T)
    if len(frame) == 0:
        return buffer, features
    kind, size = measure(frame.interval)
    # Where bars are not cut by time none can be missing, and how many are is unknown: NaN, through all arithmetic.
    interval, rows = size if kind == "time" else np.nan, frame.numbers[: fold.ROWS]
    for first, end, anew in _spans(frame.time, int(buffer[fold.LAST_TIME]), (LONGEST_GAP + 1) * interval):
        if anew:
            buffer = np.concatenate((buffer[: fold.COUNT], fold.fresh()[fold.COUNT :]))
        buffer = fold.fold(buffer, rows[:, first:end], float(interval), np.empty(0), values[:, first:end])
    return buffer, features


def _spans(time: Ints, last_time: int, longest: float) -> list[tuple[int, int, bool]]:
    """Return the rows in blocks (first, end), and whether each follows a step longer than `longest` (ms)."""
    if len(time) == 1:  # live, where the lines below would take as long as the indicators
        return [(0, 1, int(time[0]) - last_time > longest)]
    anew = set(np.flatnonzero(_steps(time, last_time) > longest).tolist())
    edges = sorted({*range(0, len(time), BLOCK), *anew, len(time)})
    return [(first, end, first in anew) for first, end in pairwise(edges)]


def _steps(time: Ints, last_time: int) -> Ints:
    """Return how much later each time is than the one before it, the first than `last_time`."""
    steps = np.empty_like(time)
    steps[0] = time[0] - last_time
    np.subtract(time[1:], time[:-1], out=steps[1:])
    return steps


def _new_rows(frame: BarFrame, last_time: int) -> BarFrame:
    """Return the rows that are later than all before them, and than `last_time`."""
    if len(frame) == 1:
        return frame if frame.time[0] > last_time else frame[:0]
    if len(frame) == 0 or _steps(frame.time, last_time).min() > 0:
        return frame
    newest = np.maximum.accumulate(np.concatenate(([last_time], frame.time)))[:-1]
    return frame[frame.time > newest]

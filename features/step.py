"""Bars to features and regimes: the fold that the stream, training and `foretick features` all call."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from features import change_points, fold, regimes
from features.definition import DEFAULT, Definition
from features.frame import BAR_COLUMNS, BarFrame, FeatureFrame, Floats, Ints
from features.table import LONGEST_GAP, NAMES
from topics.records import Regime
from topics.units import interval_ms

RAW_COLUMNS = tuple(name for name in BAR_COLUMNS if name != "quote_volume")
"""In the order of `features.series`."""
BLOCK = 2_048
"""Rows in one compiled call, at most: what it works on stays in the processor's cache."""
REGIME_COLUMN = NAMES.index(regimes.COLUMNS[0])
CHANGE_COLUMN = NAMES.index(change_points.COLUMNS[0])


@dataclass(frozen=True)
class FeatureState:
    """All that one symbol and interval's features remember. Never changed in place: `step` returns a new one.

    `fingerprint` names the definition whose numbers they are.
    """

    buffer: Floats
    fingerprint: str

    @property
    def last_time(self) -> int:
        """Time of the last bar taken (ms), -1 before the first."""
        return int(self.buffer[fold.LAST_TIME])

    def dumps(self) -> bytes:
        """Return the state as bytes: the fingerprint, then the numbers, exactly."""
        return self.fingerprint.encode() + self.buffer.astype("<f8", copy=False).tobytes()

    @classmethod
    def loads(cls, data: bytes, fingerprint: str) -> Self:
        """Read what `dumps` wrote. Raises ValueError where it belongs to another definition than the one named."""
        mark = len(fingerprint)
        found = data[:mark].decode("ascii", errors="replace")
        if found != fingerprint:
            raise ValueError(f"feature state of definition {found!r}, not {fingerprint!r}: replay the bars")
        if len(data) != mark + 8 * fold.SIZE:
            raise ValueError(f"feature state of {len(data)} bytes, not {mark + 8 * fold.SIZE}: replay the bars")
        return cls(np.frombuffer(data, dtype="<f8", offset=mark).astype(np.float64), fingerprint)


class FeatureStep:
    """The fold from bars to features and regimes, by one definition.

    `names` are the columns of a FeatureFrame, `fingerprint` names their definition. Making one compiles the code:
    about 15 s in the first process on a machine; later ones find it in numba's cache in less than a second. Whatever
    was fitted is passed to the code, and compiles nothing.
    """

    def __init__(self, definition: Definition = DEFAULT) -> None:
        if definition.timeframes:
            raise ValueError(f"timeframes {', '.join(definition.timeframes)}: only a bar's own interval is computed")
        self.definition = definition
        self.names = definition.names
        self.fingerprint = definition.fingerprint
        self._fitted = definition.regimes.array()
        fold.fold(fold.fresh(), np.ones((fold.ROWS, 2))[:, :1], 1.0, self._fitted, np.empty((len(NAMES), 2))[:, :1])

    def initial(self) -> FeatureState:
        """Return the state of a symbol that was not seen yet."""
        return FeatureState(fold.fresh(), self.fingerprint)

    def step(self, state: FeatureState, frame: BarFrame) -> tuple[FeatureState, FeatureFrame, list[Regime]]:
        """Return the new state, the features of each new bar, and the regimes of those where it is known.

        Bars that are not later than all before them are skipped: they were delivered again. After a gap of more than
        `LONGEST_GAP` intervals everything but the last time is forgotten, and the indicators warm up again.
        """
        buffer, features = self._fold(state.buffer, frame)
        found = regimes.regimes(features, REGIME_COLUMN, CHANGE_COLUMN)
        return FeatureState(buffer, self.fingerprint), features, found

    def compute(self, frames: Iterable[BarFrame]) -> Iterator[FeatureFrame]:
        """Yield the features of the frames of one symbol, from the beginning: the same fold, offline."""
        buffer = fold.fresh()
        for frame in frames:
            buffer, features = self._fold(buffer, frame)
            yield features

    def _fold(self, buffer: Floats, frame: BarFrame) -> tuple[Floats, FeatureFrame]:
        frame = _new_rows(frame, int(buffer[fold.LAST_TIME]))
        values = np.empty((len(NAMES), len(frame)))  # a column lies together: that is how it is computed and stored
        features = FeatureFrame(frame.symbol, frame.interval, self.fingerprint, frame.time, frame.close, values.T)
        if len(frame) == 0:
            return buffer, features
        interval = interval_ms(frame.interval)
        rows = np.array([getattr(frame, name) for name in RAW_COLUMNS] + [frame.time], dtype=np.float64)
        anew = np.flatnonzero(_steps(frame.time, int(buffer[fold.LAST_TIME])) > (LONGEST_GAP + 1) * interval).tolist()
        for first, end in pairwise(sorted({*range(0, len(frame), BLOCK), *anew, len(frame)})):
            if first in anew:
                buffer = np.concatenate((buffer[: fold.COUNT], fold.fresh()[fold.COUNT :]))
            buffer = fold.fold(buffer, rows[:, first:end], float(interval), self._fitted, values[:, first:end])
        return buffer, features


def _steps(time: Ints, last_time: int) -> Ints:
    """Return how much later each time is than the one before it, the first than `last_time`."""
    steps = np.empty_like(time)
    steps[0] = time[0] - last_time
    np.subtract(time[1:], time[:-1], out=steps[1:])
    return steps


def _new_rows(frame: BarFrame, last_time: int) -> BarFrame:
    """Return the rows that are later than all before them, and than `last_time`."""
    if len(frame) == 0 or _steps(frame.time, last_time).min() > 0:
        return frame
    newest = np.maximum.accumulate(np.concatenate(([last_time], frame.time)))[:-1]
    return frame[frame.time > newest]

"""Bars to features and regimes: the fold that the stream, training and `foretick features` all call."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from features import fold, regimes
from features.frame import BarFrame, FeatureFrame, Floats
from features.table import FINGERPRINT, LONGEST_GAP, NAMES
from topics.records import Regime
from topics.units import interval_ms

BLOCK = 4_096
"""Rows in one compiled call, at most: what it works on stays in the processor's cache."""


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
            raise ValueError(
                f"feature state of definition {found!r}, not {FINGERPRINT!r}: replay the bars to build it anew"
            )
        if len(data) != mark + 8 * fold.SIZE:
            raise ValueError(
                f"feature state of {len(data)} bytes, not {mark + 8 * fold.SIZE}: it was cut short or extended"
            )
        return cls(np.frombuffer(data, dtype="<f8", offset=mark).astype(np.float64))


class FeatureStep:
    """The fold from bars to features and regimes.

    `names` are the columns of a FeatureFrame, `fingerprint` names their definition.
    """

    names: tuple[str, ...] = NAMES
    fingerprint: str = FINGERPRINT

    def initial(self) -> FeatureState:
        """Return the state of a symbol that was not seen yet."""
        return FeatureState(fold.fresh())

    def step(self, state: FeatureState, frame: BarFrame) -> tuple[FeatureState, FeatureFrame, list[Regime]]:
        """Return the new state, the features of each new bar, and the regimes of those where it is known.

        Bars that are not later than all before them are skipped: they were delivered again. After a gap of more than
        `LONGEST_GAP` intervals everything but the last time is forgotten, and the indicators warm up again.
        """
        frame = _new_rows(frame, state.last_time)
        buffer, values = self._values(state.buffer, frame)
        features = FeatureFrame(frame.symbol, frame.interval, FINGERPRINT, frame.time, frame.close, values)
        return FeatureState(buffer), features, regimes.regimes(features, NAMES.index(regimes.COLUMNS[0]))

    def compute(self, frames: Iterable[BarFrame]) -> Iterable[FeatureFrame]:
        """Yield the features of the frames of one symbol, from the beginning: the same fold, offline."""
        buffer = fold.fresh()
        for frame in frames:
            rows = _new_rows(frame, int(buffer[fold.LAST_TIME]))
            buffer, values = self._values(buffer, rows)
            yield FeatureFrame(rows.symbol, rows.interval, FINGERPRINT, rows.time, rows.close, values)

    def _values(self, buffer: Floats, frame: BarFrame) -> tuple[Floats, Floats]:
        interval = interval_ms(frame.interval)
        values = np.empty((len(frame), len(NAMES)))
        rows = np.array([frame.open, frame.high, frame.low, frame.close, frame.volume, frame.time], dtype=np.float64)
        before = np.concatenate(([buffer[fold.LAST_TIME]], rows[-1, :-1]))[: len(frame)]
        anew = np.flatnonzero((before >= 0) & (rows[-1] - before > (LONGEST_GAP + 1) * interval)).tolist()
        edges = sorted({0, *range(0, len(frame), BLOCK), *anew, len(frame)})
        for first, end in zip(edges, edges[1:], strict=False):
            if first in anew:
                buffer = np.concatenate((buffer[: fold.COUNT], fold.fresh()[fold.COUNT :]))
            buffer = fold.fold(buffer, np.ascontiguousarray(rows[:, first:end]), float(interval), values[first:end])
        return buffer, values


def _new_rows(frame: BarFrame, last_time: int) -> BarFrame:
    newest = np.maximum.accumulate(np.concatenate(([last_time], frame.time)))[:-1]
    new = frame.time > newest
    return frame if new.all() else frame[new]

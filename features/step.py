"""Bars to features and regimes: the fold shared by the stream, training and `foretick features`."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Self

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from features import change_points, fold, regimes, timeframes
from features.advance import advance, new_rows, rows_of
from features.compiled import compiled_and_kept
from features.definition import DEFAULT, Definition
from features.frame import BarFrame, FeatureFrame, Floats
from features.table import NAMES
from topics.limits import MOST_VALUE
from topics.records import Regime
from topics.units import measure

REGIME_COLUMN = NAMES.index(regimes.COLUMNS[0])
CHANGE_COLUMN = NAMES.index(change_points.COLUMNS[0])


class FeatureState(Struct, frozen=True, eq=False):
    """The state of one symbol and interval's features. Never changed in place: `step` returns a new one.

    `fingerprint` names the definition of the values.
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
    def loads(cls, data: bytes, initial: Self) -> Self:
        """Read the output of `dumps`. Raises ValueError if it belongs to another definition than the initial state."""
        mark = len(initial.fingerprint)
        text, size = data[:mark].decode("ascii", errors="replace"), mark + initial.buffer.nbytes
        if text != initial.fingerprint:
            raise ValueError(f"feature state of definition {text!r}, not {initial.fingerprint!r}: replay the bars")
        if len(data) != size:
            raise ValueError(f"feature state of {len(data)} bytes, not {size}: replay the bars")
        return cls(np.frombuffer(data, dtype="<f8", offset=mark).astype(np.float64), initial.fingerprint)


@lru_cache(4_096)  # bounded, since producers choose the names
def length_of(interval: str) -> float:
    """Return the length of a bar in ms; NaN, which propagates, for bars that are not cut by time, of which none can be
    missing.
    """
    kind, size = measure(interval)
    return float(size) if kind == "time" else np.nan


@compiled_and_kept
def _limit(values: Floats, most: float) -> None:
    """Set values [F, n] outside the limits of a record to NaN, so that training, stream and files have the same."""
    for column in range(values.shape[0]):
        for row in range(values.shape[1]):
            if not abs(values[column, row]) <= most:
                values[column, row] = np.nan


class FeatureStep:
    """The fold from bars to features and regimes, by one definition.

    `names` are the columns of a FeatureFrame, `fingerprint` names their definition. Making one compiles the code:
    about a minute in the first process on a machine; later ones load it from numba's cache in less than a second.
    Fitted parameters are passed at run time and need no compilation.
    """

    def __init__(self, definition: Definition = DEFAULT) -> None:
        self.definition = definition
        self.names = definition.names
        self.fingerprint = definition.fingerprint
        self._fitted = definition.regimes.array()
        computed = definition.computed
        self._width = len(computed)
        places = {name: place for place, name in enumerate(computed)}
        self._wanted = [places[name] for name in self.names] if definition.columns else None
        fold.fold(fold.fresh(), np.ones((fold.ROWS, 1)), 1.0, self._fitted, np.empty((len(NAMES), 1)), 0)
        _limit(np.zeros((1, 1)), MOST_VALUE)

    def initial(self) -> FeatureState:
        """Return the initial state of a symbol."""
        longer = [timeframes.fresh() for _ in self.definition.timeframes]
        return FeatureState(np.concatenate((fold.fresh(), *longer)), self.fingerprint)

    def step(self, state: FeatureState, frame: BarFrame) -> tuple[FeatureState, FeatureFrame, list[Regime]]:
        """Return the new state, the features of each new bar, and the regimes of those where it is known.

        Bars that are not later than all before them are skipped, as they were delivered again. After a gap of more than
        `LONGEST_GAP` intervals the state except the last time is reset, and the indicators warm up again. Bars that are
        not cut by time have no gaps.

        Raises ValueError if a timeframe of the definition is no multiple of the bars' interval.
        """
        state, computed = self._computed(state, frame)
        return state, self._chosen(computed), regimes.regimes(computed, REGIME_COLUMN, CHANGE_COLUMN)

    def features(self, state: FeatureState, frame: BarFrame) -> tuple[FeatureState, FeatureFrame]:
        """Return the same without the regimes' records; their posterior is among the features."""
        state, computed = self._computed(state, frame)
        return state, self._chosen(computed)

    def _chosen(self, computed: FeatureFrame) -> FeatureFrame:
        return computed if self._wanted is None else replace(computed, values=computed.values.T[self._wanted].T)

    def _computed(self, state: FeatureState, frame: BarFrame) -> tuple[FeatureState, FeatureFrame]:
        frame = new_rows(frame, state.last_time)
        values = np.empty((self._width, len(frame)))  # columns are contiguous, as they are computed and stored
        features = FeatureFrame(
            symbol=frame.symbol,
            interval=frame.interval,
            fingerprint=self.fingerprint,
            time=frame.time,
            close=frame.close,
            values=values.T,
        )
        if len(frame) == 0:
            return state, features
        interval, rows = length_of(frame.interval), rows_of(frame)
        if not self.definition.timeframes:
            buffer = advance(state.buffer, rows, interval, self._fitted, values)
            _limit(values, MOST_VALUE)
            return FeatureState(buffer, self.fingerprint), features
        parts = [advance(state.buffer[: fold.SIZE], rows, interval, self._fitted, values[: len(NAMES)])]
        for k, timeframe in enumerate(self.definition.timeframes):
            first = fold.SIZE + k * timeframes.SIZE
            before, out = state.buffer[first : first + timeframes.SIZE], values[(k + 1) * len(NAMES) :][: len(NAMES)]
            longer = timeframes.length(timeframe, frame.interval)
            parts.append(timeframes.step(before, state.last_time, rows, interval, longer, self._fitted, out))
        _limit(values, MOST_VALUE)
        return FeatureState(np.concatenate(parts), self.fingerprint), features

    def compute(self, frames: Iterable[BarFrame]) -> Iterator[FeatureFrame]:
        """Yield the features of the frames of one symbol, from the beginning: the same fold, offline."""
        state = self.initial()
        for frame in frames:
            state, features = self.features(state, frame)
            yield features

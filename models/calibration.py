"""Intervals that hold: each quantile is moved online until it is exceeded as often as its level says.

Quantile tracking (the P term of conformal PID control, Angelopoulos, Candes and Tibshirani 2023) in units of the
forecast's own scale, with delayed feedback: q = base + scale * offset, and offset += rate * (level - 1{realised <= q})
once the label has matured.
"""

from dataclasses import dataclass

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats, Ints
from models.forecaster import JSON, Forecasts
from models.labels import mature
from topics.records import QUANTILES
from topics.units import interval_ms

RATE = 0.02
"""Step of one label at one bar ahead, in units of the scale; labels that overlap h times weigh 1 / sqrt(h) each."""
TIME, PRICE, SCALE, FIRST = 0, 1, 2, 3
LEVELS = np.array(QUANTILES)


@dataclass(frozen=True)
class Calibration:
    """What the tracker of one symbol and model knows.

    `offset` [H, Q] in units of the scale; `pending` holds, per horizon, the forecasts whose label has not matured:
    [n, 3 + Q] with time, price, scale and the quantiles before they were put in order: each level learns from its own,
    or two that have crossed would drive each other away.
    """

    offset: Floats
    pending: tuple[Floats, ...]

    @classmethod
    def initial(cls, horizons: int) -> "Calibration":
        """Return the state before the first forecast."""
        width = FIRST + len(QUANTILES)
        return cls(np.zeros((horizons, len(QUANTILES))), tuple(np.empty((0, width)) for _ in range(horizons)))

    def to_json(self) -> JSON:
        """Return the state as plain lists."""
        return {"offset": self.offset.tolist(), "pending": [rows.tolist() for rows in self.pending]}

    @classmethod
    def from_json(cls, state: JSON) -> "Calibration":
        """Return what `to_json` wrote, exactly."""
        width = FIRST + len(QUANTILES)
        pending = tuple(np.array(rows, dtype=np.float64).reshape(-1, width) for rows in state["pending"])
        return cls(np.array(state["offset"], dtype=np.float64), pending)


def step(
    state: Calibration, frame: FeatureFrame, forecasts: Forecasts, horizons: tuple[int, ...]
) -> tuple[Calibration, Floats]:
    """Return the calibrated quantiles [n, H, Q], each moved by the labels that had matured at its row's close."""
    bar = interval_ms(frame.interval)
    calibrated = np.empty_like(forecasts.quantiles)
    offsets = state.offset.copy()
    pending = []
    for column, horizon in enumerate(horizons):
        old = state.pending[column]
        rows = np.empty((len(old) + len(frame), old.shape[1]))
        rows[: len(old)] = old
        rows[len(old) :, TIME] = frame.time
        rows[len(old) :, PRICE] = frame.close
        rows[len(old) :, SCALE] = forecasts.scale[:, column]
        rows[len(old) :, FIRST:] = forecasts.quantiles[:, column]
        time = rows[:, TIME].astype(np.int64)
        at, realised = mature(time, rows[:, PRICE].copy(), horizon * bar, frame.time, frame.close)
        learnt = _fold(offsets[column], rows, len(old), at, realised, RATE / np.sqrt(horizon), LEVELS)
        calibrated[:, column] = np.sort(rows[len(old) :, FIRST:], axis=1)
        pending.append(rows[learnt:].copy())
    return Calibration(offsets, tuple(pending)), calibrated


@compiled_and_kept
def _fold(offset: Floats, rows: Floats, old: int, at: Ints, realised: Floats, rate: float, levels: Floats) -> int:
    """Move the new rows' quantiles, learning before each from what matured with it; return how many did."""
    learnt = 0
    for row in range(old, len(rows)):
        while learnt < row and at[learnt] <= row - old:
            if not np.isnan(realised[learnt]) and not np.isnan(rows[learnt, FIRST]):
                for level in range(len(levels)):
                    hit = 1.0 if realised[learnt] <= rows[learnt, FIRST + level] else 0.0
                    offset[level] += rate * (levels[level] - hit)
            learnt += 1
        if not np.isnan(rows[row, FIRST]):
            rows[row, FIRST:] += rows[row, SCALE] * offset
    return learnt

"""Intervals that hold: each quantile is moved online until it is exceeded as often as its level says.

Quantile tracking (the P term of conformal PID control; Angelopoulos, Candes and Tibshirani 2023) in units of the
forecast's own scale, with delayed feedback: q = base + scale * offset, and once the label has matured
offset += rate * max(size, 1) * (level - 1{realised <= q}). `size` is how large |label| / scale was lately, over what
it is for a normal distribution: so a forecast whose scale is too small by a factor is mended that much faster.
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
"""Step of one label at one bar ahead, in units of the scale; of horizon h over sqrt(h), because labels overlap."""
MEMORY = 0.999
"""Weight of the past, a label, in the size of the labels."""
NORMAL_SIZE = 0.7978845608028654
"""The mean absolute value of a standard normal."""
TIME, PRICE, SCALE, FIRST = 0, 1, 2, 3
LEVELS = np.array(QUANTILES)
WIDTH = FIRST + len(QUANTILES)


@dataclass(frozen=True)
class Calibration:
    """What the tracker of one symbol and model knows.

    `offset` [H, Q] in units of the scale; `size` [H], 1 at first; `pending` holds, per horizon, the forecasts whose
    label has not matured: [n, 3 + Q] with time, price, scale and the quantiles before they were put in order. Each
    level learns from its own: two that have crossed would otherwise drive each other away.
    """

    offset: Floats
    size: Floats
    pending: tuple[Floats, ...]

    @classmethod
    def initial(cls, horizons: int) -> "Calibration":
        """Return the state before the first forecast."""
        pending = tuple(np.empty((0, WIDTH)) for _ in range(horizons))
        return cls(np.zeros((horizons, len(QUANTILES))), np.ones(horizons), pending)

    def to_json(self) -> JSON:
        """Return the state as plain lists."""
        pending = [rows.tolist() for rows in self.pending]
        return {"offset": self.offset.tolist(), "size": self.size.tolist(), "pending": pending}

    @classmethod
    def from_json(cls, state: JSON) -> "Calibration":
        """Return what `to_json` wrote, exactly."""
        pending = tuple(np.array(rows, dtype=np.float64).reshape(-1, WIDTH) for rows in state["pending"])
        offset, size = (np.array(state[name], dtype=np.float64) for name in ("offset", "size"))
        return cls(offset, size, pending)


def step(
    state: Calibration, frame: FeatureFrame, forecasts: Forecasts, horizons: tuple[int, ...]
) -> tuple[Calibration, Floats]:
    """Return the calibrated quantiles [n, H, Q], each moved by the labels that had matured at its row's close."""
    bar = interval_ms(frame.interval)
    calibrated = np.empty_like(forecasts.quantiles)
    offset, size = state.offset.copy(), state.size.copy()
    pending = []
    for column, horizon in enumerate(horizons):
        new = np.column_stack(
            [frame.time, frame.close, forecasts.scale[:, column], forecasts.quantiles[:, column]],
        )
        rows = np.concatenate([state.pending[column], new])
        old = len(rows) - len(frame)
        time, price = rows[:, TIME].astype(np.int64), rows[:, PRICE].copy()
        at, realised = mature(time, price, horizon * bar, frame.time, frame.close)
        rate = RATE / np.sqrt(horizon)
        learnt, size[column] = _fold(offset[column], size[column], rows, old, at, realised, rate, LEVELS)
        # Monotone rearrangement (Chernozhukov, Fernandez-Val and Galichon 2010).
        calibrated[:, column] = np.sort(rows[old:, FIRST:], axis=1)
        pending.append(rows[learnt:].copy())
    return Calibration(offset, size, tuple(pending)), calibrated


@compiled_and_kept
def _fold(
    offset: Floats, size: float, rows: Floats, old: int, at: Ints, realised: Floats, rate: float, levels: Floats
) -> tuple[int, float]:
    """Move the new rows' quantiles, learning before each from what matured with it; return how many did, and size."""
    learnt = 0
    for row in range(old, len(rows)):
        while learnt < row and at[learnt] <= row - old:
            if not np.isnan(realised[learnt]) and not np.isnan(rows[learnt, FIRST]):
                ratio = abs(realised[learnt]) / (rows[learnt, SCALE] * NORMAL_SIZE)
                size = MEMORY * size + (1.0 - MEMORY) * ratio
                for level in range(len(levels)):
                    hit = 1.0 if realised[learnt] <= rows[learnt, FIRST + level] else 0.0
                    offset[level] += rate * max(size, 1.0) * (levels[level] - hit)
            learnt += 1
        if not np.isnan(rows[row, FIRST]):
            rows[row, FIRST:] += rows[row, SCALE] * offset
    return learnt, size

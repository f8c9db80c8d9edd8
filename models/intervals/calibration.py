"""Calibrates intervals online: each quantile is moved until it is exceeded as often as its level.

Quantile tracking (the P term of conformal PID control; Angelopoulos, Candes and Tibshirani 2023) in units of the
forecast's own scale, with delayed feedback: q = base + scale * offset, and once the label has matured
offset += rate * max(size, 1) * (level - 1{realised <= q}). `size` is the recent size of |label| / scale, over that of a
normal distribution: so a scale that is too small by a factor is corrected that much faster. There a label counts as at
most `WILD` scales, so that one wrong price does not disturb the offsets.

It is Mondrian (Vovk et al. 2005) in two overlapping groupings: the tercile of the scale in the symbol's own past, and
the quarter of the day (UTC). The offset is the sum of a shared one, the tercile's and the quarter's, and a label moves
all three: sparse cells rely on the shared one, and in the long run each group has its level.
"""

from dataclasses import dataclass

import numpy as np

from features.compiled import compiled, compiled_and_kept
from features.frame import FeatureFrame, Floats, Ints
from models.ewma_volatility import WILD
from models.forecaster import Forecasts
from models.json_type import JSON
from models.labels import mature
from topics.limits import MOST_RETURN
from topics.records import QUANTILES
from topics.units import interval_ms

RATE = 0.02
"""Step of one label at one bar ahead, in units of the scale; of horizon h over sqrt(h), because labels overlap."""
SHARED, OWN = 0.75, 0.25
"""The parts of a step for the shared offset, and for each of the tercile's and the quarter's."""
COMMON = 2_000
"""The number of labels from which on the groups have offsets of their own: before, the whole step goes to the shared
one."""
MEMORY = 0.999
"""Decay per label in the size of the labels."""
NORMAL_SIZE = 0.7978845608028654
"""The mean absolute value of a standard normal."""
THRESHOLD_RATE = 3e-4
"""The least step of the terciles' limits, in the logarithm of the scale; of forecast n it is 1 / (n + 1) if larger."""
TERCILES, QUARTERS = 3, 4
QUARTER_MS = 6 * 3_600_000
GROUPS = 1 + TERCILES + QUARTERS
TIME, PRICE, SCALE, TERCILE, FIRST = 0, 1, 2, 3, 4
LABELS, FORECASTS, LOWER, UPPER, SIZE = 0, 1, 2, 3, 4
START = np.array([0.0, 0.0, 0.0, 0.0, 1.0])
LEVELS = np.array(QUANTILES)
WIDTH = FIRST + len(QUANTILES)


@dataclass(frozen=True)
class Calibration:
    """The state of the tracker of one symbol and model.

    `offset` [H, G, Q] in units of the scale: shared, of the terciles, of the quarters of a day. `track` [H, 5]: labels
    learnt, forecasts seen, the limits of the middle tercile in the logarithm of the scale, and the size, 1 at first.
    `pending` holds, per horizon, the forecasts whose label has not matured: [n, 4 + Q] with time, price, scale, tercile
    and the quantiles before they were put in order. Each level learns from its own quantile: two that have crossed
    would otherwise diverge.
    """

    offset: Floats
    track: Floats
    pending: tuple[Floats, ...]

    @classmethod
    def initial(cls, horizons: int) -> "Calibration":
        """Return the state before the first forecast."""
        pending = tuple(np.empty((0, WIDTH)) for _ in range(horizons))
        return cls(np.zeros((horizons, GROUPS, len(QUANTILES))), np.tile(START, (horizons, 1)), pending)

    def to_json(self) -> JSON:
        """Return the state as plain lists."""
        pending = [rows.tolist() for rows in self.pending]
        return {"offset": self.offset.tolist(), "track": self.track.tolist(), "pending": pending}

    @classmethod
    def from_json(cls, state: JSON) -> "Calibration":
        """Read the output of `to_json`, exactly; the state of a version without groups is reset."""
        if "track" not in state:
            return cls.initial(len(state["offset"]))
        pending = tuple(np.array(rows, dtype=np.float64).reshape(-1, WIDTH) for rows in state["pending"])
        offset, track = (np.array(state[name], dtype=np.float64) for name in ("offset", "track"))
        return cls(offset, track, pending)


def step(
    state: Calibration, frame: FeatureFrame, forecasts: Forecasts, horizons: tuple[int, ...]
) -> tuple[Calibration, Floats]:
    """Return the calibrated quantiles [n, H, Q], each moved by the labels that had matured at its row's close."""
    bar = interval_ms(frame.interval)
    calibrated = np.empty_like(forecasts.quantiles)
    offset, track = state.offset.copy(), state.track.copy()
    pending = []
    unknown = np.full(len(frame), np.nan)
    for column, horizon in enumerate(horizons):
        new = np.column_stack(
            [frame.time, frame.close, forecasts.scale[:, column], unknown, forecasts.quantiles[:, column]],
        )
        rows = np.concatenate([state.pending[column], new])
        old = len(rows) - len(frame)
        time, price = rows[:, TIME].astype(np.int64), rows[:, PRICE].copy()
        at, realised = mature(time, price, horizon * bar, frame.time, frame.close)
        learnt = _fold(offset[column], track[column], rows, old, at, realised, RATE / np.sqrt(horizon), LEVELS)
        # Monotone rearrangement (Chernozhukov, Fernandez-Val and Galichon 2010).
        calibrated[:, column] = np.clip(np.sort(rows[old:, FIRST:], axis=1), -MOST_RETURN, MOST_RETURN)
        pending.append(rows[learnt:].copy())
    return Calibration(offset, track, tuple(pending)), calibrated


@compiled_and_kept
def _fold(
    offset: Floats, track: Floats, rows: Floats, old: int, at: Ints, realised: Floats, rate: float, levels: Floats
) -> int:
    """Move the new rows' quantiles, learning before each from the labels matured by then; return the number of rows
    learnt."""
    learnt = 0
    for row in range(old, len(rows)):
        while learnt < row and at[learnt] <= row - old:
            if not np.isnan(realised[learnt]) and not np.isnan(rows[learnt, FIRST]):
                _learn(offset, track, rows[learnt], realised[learnt], rate, levels)
            learnt += 1
        if not np.isnan(rows[row, FIRST]):
            rows[row, TERCILE] = _tercile(track, rows[row, SCALE])
            own, quarter = _groups(rows[row])
            for level in range(len(levels)):
                moved = offset[0, level] + offset[own, level] + offset[quarter, level]
                rows[row, FIRST + level] += rows[row, SCALE] * moved
    return learnt


@compiled
def _groups(row: Floats) -> tuple[int, int]:
    """Return the indices of the offsets of the row's tercile and of its quarter of the day."""
    return 1 + int(row[TERCILE]), 1 + TERCILES + int(row[TIME] // QUARTER_MS) % QUARTERS


@compiled
def _learn(offset: Floats, track: Floats, row: Floats, realised: float, rate: float, levels: Floats) -> None:
    track[LABELS] += 1
    size = min(abs(realised) / row[SCALE], WILD)
    track[SIZE] = MEMORY * track[SIZE] + (1.0 - MEMORY) * (size / NORMAL_SIZE)
    shared, alone = (SHARED, OWN) if track[LABELS] > COMMON else (1.0, 0.0)
    own, quarter = _groups(row)
    for level in range(len(levels)):
        hit = 1.0 if realised <= row[FIRST + level] else 0.0
        moved = rate * max(track[SIZE], 1.0) * (levels[level] - hit)
        offset[0, level] += shared * moved
        offset[own, level] += alone * moved
        offset[quarter, level] += alone * moved


@compiled
def _tercile(track: Floats, scale: float) -> int:
    """Return the tercile of the scale among those before it, and move its limits by quantile tracking."""
    size = np.log(scale)
    if track[FORECASTS] == 0:
        track[LOWER] = track[UPPER] = size
    tercile = 0 if size <= track[LOWER] else (1 if size <= track[UPPER] else 2)
    track[FORECASTS] += 1
    step = max(THRESHOLD_RATE, 1.0 / (track[FORECASTS] + 1.0))
    track[LOWER] += step * (1.0 / TERCILES - (1.0 if size <= track[LOWER] else 0.0))
    track[UPPER] += step * (2.0 / TERCILES - (1.0 if size <= track[UPPER] else 0.0))
    return tercile

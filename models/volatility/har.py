"""HAR: the variance of the next bars from those of the last minutes, hours and day, and the time of day."""

from typing import ClassVar

import numpy as np

from features.frame import FeatureFrame, Floats
from models import ewma_volatility
from models.contributions import Parts, Row, no_drift
from models.ewma_volatility import Walk
from models.forecaster import Forecasts
from models.importance import Importance, coefficients
from models.intervals.distribution import NORMAL
from models.intervals.residual_quantiles import from_scale, symmetric
from models.json_model import JSONModel
from models.json_type import JSON
from models.labels import targets
from models.least_squares import DAY_MS, Moments
from models.search_space import NONE, Parameters, Real, Space
from models.structure import Coefficients, Structure, ahead
from models.volatility import daily_regression, realised_variance
from models.volatility.daily_regression import Regression
from models.volatility.realised_variance import Squares
from topics.records import HORIZONS
from topics.units import interval_ms

WINDOWS = (5, 30, 240, 1_440)
"""The past variances, in bars."""
HARMONICS = 2
"""Of the time of day."""
FLOOR = 0.2
"""The least variance of a bar, as a share of the EWMA's: in logarithms, minutes without moves would dominate."""
PRIOR = 5_000
"""The pooled fit counts as this many rows of a symbol's own."""
HALF_LIFE = 60
"""Days after which a day weighs half."""
DIURNAL = tuple(
    f"{wave} of the day{f', {order} times' if order > 1 else ''}"
    for order in range(1, HARMONICS + 1)
    for wave in ("sine", "cosine")
)


def named(windows: tuple[int, ...], *own: str) -> tuple[str, ...]:
    """Return the names of the inputs but for the constant before them: variances, time of day, and `own` by window."""
    further = (f"{name} of {window} bars" for name in own for window in windows)
    return (*(f"log variance of {window} bars" for window in windows), *DIURNAL, *further)


NAMES = named(WINDOWS)


class HAR(JSONModel):
    """Log realised variance over h bars on those of the past (Corsi 2009) with diurnal terms, per symbol.

    Coefficients are refitted at each UTC day's end on the days before, with exponential forgetting, combined with a
    pooled fit. The variance is the exponential of the regression times the mean ratio of the realised variance to it: a
    bias correction without the log-normal assumption. The mean is zero.
    """

    name: ClassVar[str] = "har"
    carried_state: ClassVar[tuple[str, ...]] = ("volatility", "variance")
    kept: ClassVar[tuple[str, ...]] = ("gram", "cross", "ratio", "spread")
    inputs: ClassVar[tuple[str, ...]] = NAMES
    """Of the regression, but for the constant before them."""
    reach: ClassVar[int] = max(WINDOWS)
    """The number of bars whose returns are kept one by one."""
    ridge: ClassVar[float] = 0.0
    """The penalty on the pooled coefficients, as a share of their inputs' sums of squares and of the rows."""
    settings: ClassVar[JSON] = {
        "windows": WINDOWS,
        "harmonics": HARMONICS,
        "floor": FLOOR,
        "prior": PRIOR,
        "half_life": [ewma_volatility.RULE, HALF_LIFE],
    }
    SPACE: ClassVar[Space] = {  # around what was tried by hand: docs/LOG.md
        "floor": Real(0.05, 0.5, FLOOR, log=True),
        "prior": Real(500.0, 50_000.0, PRIOR, log=True),
        "half_life": Real(10.0, 240.0, HALF_LIFE, log=True),
    }

    def __init__(
        self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.floor, self.prior, self.half_life = (
            float(self.tuned.get(name, default))
            for name, default in (("floor", FLOOR), ("prior", PRIOR), ("half_life", HALF_LIFE))
        )
        # The pooled fit as sums over PRIOR rows: [H, F, F], [H, F], and of ratios and their number [H, 2].
        size = 1 + len(self.inputs)
        self.gram = np.array([np.eye(size)] * len(horizons))
        self.cross, self.ratio = np.zeros((len(horizons), size)), np.ones((len(horizons), 2))
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q] in units of the scale

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Fit the pooled coefficients, then walk each symbol from them for the quantiles of its returns."""
        self.fingerprint = frames[0].fingerprint
        frames = [frame for frame in frames if len(frame)]
        size = 1 + len(self.inputs)
        moments = Moments.none(size, len(self.horizons))
        parts = [self._rows(frame) for frame in frames]
        for x, y, _ in parts:
            moments.add(x, y, np.ones(len(x)))
        if moments.rows.min() < size:
            raise ValueError(f"{int(moments.rows.min())} rows to fit {self.name!r} on; give more bars")
        moments.gram += self.ridge * (moments.gram + moments.rows[:, None, None]) * np.eye(size)
        share = self.prior / moments.rows
        self.gram, self.cross = moments.gram * share[:, None, None], moments.cross * share[:, None]
        weights = moments.solve(np.zeros(len(self.horizons)))
        ratios = [realised / np.exp(x @ weights.T) for x, _, realised in parts]
        self.ratio = np.column_stack([self.prior * np.nanmean(np.concatenate(ratios), axis=0), share * moments.rows])
        scales = [self.step(self.initial(), frame)[1].scale for frame in frames]
        answers = [targets(frame, np.ones(len(frame)), self.horizons, np.inf) for frame in frames]
        unit = np.concatenate(scales) / np.sqrt(self.horizons)  # targets of sigma 1 are ln(P(t+h) / P(t)) / sqrt(h)
        self.spread = symmetric(np.concatenate(answers) / unit)

    def importance(self) -> Importance | None:
        """Return each input's share of the sizes of the pooled coefficients, None before the fit."""
        return coefficients(self.inputs, self._standardised)

    def structure(self) -> Structure:
        """Return the pooled coefficients, from which each symbol begins."""
        meaning = "of the log variance, per standard deviation of the input, pooled over symbols"
        return Structure(coefficients=[Coefficients.of(meaning, ahead(self.horizons), self.inputs, self._standardised)])

    @property
    def _standardised(self) -> Floats:
        """Return the pooled coefficients [H, F - 1] but for the constant, on standardised inputs."""
        weights = np.linalg.solve(self.gram, self.cross[:, :, None])[:, 1:, 0]
        mean, square = (
            self.gram[:, 0] / self.gram[:, :1, 0],
            np.diagonal(self.gram, axis1=1, axis2=2) / self.gram[:, :1, 0],
        )
        deviation = np.sqrt(np.maximum(square - mean**2, 0.0))  # of the rows fitted on: the gram begins with a constant
        return np.asarray(weights * deviation[:, 1:])

    def _rows(self, frame: FeatureFrame) -> tuple[Floats, Floats, Floats]:
        """Return inputs [n, F], log variances [n, H] and variances [n, H] of a bar, of the rows that know their own."""
        _, walk = ewma_volatility.walk(ewma_volatility.initial(), frame)
        floor = self.floor * walk.sigma**2
        _, seen, x = self._see(self._unseen(), frame, walk, floor)
        sums = [realised_variance.future(seen, 0, horizon, frame)[1] / horizon for horizon in self.horizons]
        realised = np.column_stack(sums)
        known = ~np.isnan(x).any(axis=1)
        return x[known], np.log(np.maximum(realised, floor[:, None]))[known], realised[known]

    @property
    def _reach(self) -> int:
        return max(self.reach, *self.horizons)

    def _unseen(self) -> JSON:
        """Return what is known of a symbol's returns before its first bar."""
        return realised_variance.initial()

    def _see(self, state: JSON, frame: FeatureFrame, walk: Walk, floor: Floats) -> tuple[JSON, Squares, Floats]:
        """Return the squared returns up to the frame's last bar, and the inputs [n, F] of its rows.

        They are 1, the log variances of the past, at least `floor` [n], and the harmonics of the time of day.
        """
        state, seen = realised_variance.step(state, frame, self._reach, walk)
        windows, bar = np.array(WINDOWS, dtype=np.int64), interval_ms(frame.interval)
        past = realised_variance.past(seen, len(seen.times) - len(frame), state["begin"], windows, bar)
        return state, seen, daily_regression.inputs(past, floor, frame.time, HARMONICS)

    def contributions(self, row: Row) -> Parts:  # noqa: ARG002 - it is the same of every row
        """Return that there is nothing to explain."""
        return no_drift(self.name)

    def initial(self) -> JSON:
        """Return the initial state of a symbol."""
        start = Regression.start(self.gram, self.cross, self.ratio)
        return {
            "volatility": ewma_volatility.initial(),
            "variance": self._unseen(),
            "regression": start.to_json(),
            "queue": [],
        }

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row's variance; learn from windows only once they have ended, and refit when a day has."""
        scale, walk = ewma_volatility.walk(state["volatility"], frame)
        floor = self.floor * walk.sigma**2
        past, seen, x = self._see(state["variance"], frame, walk, floor)
        times = seen.times
        old = len(times) - len(frame)
        new = np.column_stack([floor, x, np.zeros((len(x), len(self.horizons)))])
        queue = np.array(state["queue"], dtype=np.float64).reshape(-1, new.shape[1])
        rows = np.concatenate([queue, new])
        at = np.empty((len(rows), len(self.horizons)), dtype=np.int64)
        realised = np.empty(at.shape)
        for column, horizon in enumerate(self.horizons):
            at[:, column], sums = realised_variance.future(seen, old - len(queue), horizon, frame)
            realised[:, column] = sums / horizon
        regression = Regression.of(state["regression"])
        days = frame.time // DAY_MS
        result = regression.walk(
            rows, len(queue), at, realised, days, self.gram, self.cross, self.ratio, self.half_life
        )
        waits = frame.time[-1] - max(self.horizons) * interval_ms(frame.interval)
        keep = int(np.searchsorted(times[old - len(queue) :], waits, side="right"))
        state = {
            "volatility": scale,
            "variance": past,
            "regression": regression.to_json(),
            "queue": rows[keep:].tolist(),
        }
        return state, from_scale(np.sqrt(result * np.array(self.horizons)), self.spread)

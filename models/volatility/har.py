"""HAR: the variance of the next bars from those of the last minutes, hours and day, and the time of day."""

from typing import ClassVar

import numpy as np

from features.frame import FeatureFrame, Floats
from models import ewma_volatility
from models.contributions import Parts, Row, no_drift
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
INPUTS = 1 + len(WINDOWS) + 2 * HARMONICS
NAMES = (
    *(f"log variance of {window} bars" for window in WINDOWS),
    *(
        f"{wave} of the day{f', {order} times' if order > 1 else ''}"
        for order in range(1, HARMONICS + 1)
        for wave in ("sine", "cosine")
    ),
)
"""Of the inputs, but for the constant before them."""


class HAR(JSONModel):
    """Log realised variance over h bars on those of the past (Corsi 2009) with diurnal terms, per symbol.

    Coefficients are refitted at each UTC day's end on the days before, with exponential forgetting, combined with a
    pooled fit. The variance is the exponential of the regression times the mean ratio of the realised variance to it: a
    bias correction without the log-normal assumption. The mean is zero.
    """

    name: ClassVar[str] = "har"
    carried_state: ClassVar[tuple[str, ...]] = ("volatility", "variance")
    kept: ClassVar[tuple[str, ...]] = ("gram", "cross", "ratio", "spread")
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
        self.gram = np.array([np.eye(INPUTS)] * len(horizons))
        self.cross, self.ratio = np.zeros((len(horizons), INPUTS)), np.ones((len(horizons), 2))
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q] in units of the scale

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Fit the pooled coefficients, then walk each symbol from them for the quantiles of its returns."""
        self.fingerprint = frames[0].fingerprint
        frames = [frame for frame in frames if len(frame)]
        moments = Moments.none(INPUTS, len(self.horizons))
        parts = [self._rows(frame) for frame in frames]
        for x, y, _ in parts:
            moments.add(x, y, np.ones(len(x)))
        if moments.rows.min() < INPUTS:
            raise ValueError(f"{int(moments.rows.min())} rows to fit {self.name!r} on; give more bars")
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
        return coefficients(NAMES, self._standardised)

    def structure(self) -> Structure:
        """Return the pooled coefficients, from which each symbol begins."""
        meaning = "of the log variance, per standard deviation of the input, pooled over symbols"
        return Structure(coefficients=[Coefficients.of(meaning, ahead(self.horizons), NAMES, self._standardised)])

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
        past, seen = realised_variance.step(realised_variance.initial(), frame, self._reach, walk)
        floor = self.floor * walk.sigma**2
        x = self._inputs(seen, 0, past["begin"], floor, frame)
        sums = [realised_variance.future(seen, 0, horizon, frame)[1] / horizon for horizon in self.horizons]
        realised = np.column_stack(sums)
        known = ~np.isnan(x).any(axis=1)
        return x[known], np.log(np.maximum(realised, floor[:, None]))[known], realised[known]

    @property
    def _reach(self) -> int:
        return max(*WINDOWS, *self.horizons)

    def _inputs(self, seen: Squares, old: int, begin: int, floor: Floats, frame: FeatureFrame) -> Floats:
        """Return 1, the log variances of the past and the harmonics of the time of day: [n, F]."""
        windows = np.array(WINDOWS, dtype=np.int64)
        past = realised_variance.past(seen, old, begin, windows, interval_ms(frame.interval))
        return daily_regression.inputs(past, floor, frame.time, HARMONICS)

    def contributions(self, row: Row) -> Parts:  # noqa: ARG002 - it is the same of every row
        """Return that there is nothing to explain."""
        return no_drift(self.name)

    def initial(self) -> JSON:
        """Return the initial state of a symbol."""
        start = Regression.start(self.gram, self.cross, self.ratio)
        return {
            "volatility": ewma_volatility.initial(),
            "variance": realised_variance.initial(),
            "regression": start.to_json(),
            "queue": [],
        }

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row's variance; learn from windows only once they have ended, and refit when a day has."""
        scale, walk = ewma_volatility.walk(state["volatility"], frame)
        past, seen = realised_variance.step(state["variance"], frame, self._reach, walk)
        times = seen.times
        old = len(times) - len(frame)
        floor = self.floor * walk.sigma**2
        x = self._inputs(seen, old, past["begin"], floor, frame)
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

"""Forgetting recursive least squares: a regression for each symbol and horizon that follows the market."""

from typing import ClassVar

import numpy as np

from features.frame import FeatureFrame, Floats
from models import ewma_volatility, least_squares
from models.contributions import Parts, Row, weighed
from models.forecaster import Forecasts
from models.importance import Importance, coefficients
from models.inputs import columns, scale_free
from models.intervals.distribution import NORMAL
from models.intervals.residual_quantiles import from_mean, residual
from models.json_model import JSONModel
from models.json_type import JSON
from models.labels import targets, waiting
from models.least_squares import Moments
from models.linear import online, rls_kernel
from models.linear.rls_kernel import Estimate, Flags
from models.outlier_inputs import settled
from models.search_space import NONE, Parameters, Real, Space
from models.structure import Coefficients, Structure, ahead
from topics.records import HORIZONS
from topics.units import interval_ms

PRICES = online.INPUTS
MARKET = ("market_return_1", "market_return_60", "residual_return_1", "residual_return_60", "market_rank_mean_60")
"""Used if known; without a universe, they are 0, the mean."""
INPUTS = PRICES + MARKET
CLIP = 4.0
"""Targets are clipped to +- this many standard deviations."""
HALF_LIFE = 40_000
"""Labels after which one weighs half, times sqrt(h), as they overlap: four weeks of minutes for the next one."""
TRUST_HALF_LIFE = 20_000
"""Likewise in the slope of label on forecast."""
PENALTY = 0.01
"""On the squared coefficients, beside the mean square of a standardised input: 1."""
WIND_UP = 10.0
"""There is no forgetting while the covariance's trace is this many times that of the start."""


class RLS(JSONModel):
    """Regressions of ln(P(t+h) / P(t)) / (sigma sqrt(h)) on `INPUTS`, standardised as in the fit.

    A symbol begins with the coefficients of all symbols together and the covariance that as many of their rows would
    give as it remembers. A label weighs 1 / h (uniqueness; Lopez de Prado 2018, ch. 4).
    """

    name: ClassVar[str] = "rls"
    carried_state: ClassVar[tuple[str, ...]] = ("volatility",)
    kept: ClassVar[tuple[str, ...]] = ("middle", "inverse", "learnt", "most", "spread")
    settings: ClassVar[JSON] = {
        "inputs": INPUTS,
        "clip": [CLIP, least_squares.LARGEST],
        "half_life": [ewma_volatility.RULE, HALF_LIFE, TRUST_HALF_LIFE],
        "penalty": [PENALTY, WIND_UP],
    }
    SPACE: ClassVar[Space] = {  # around what was tried by hand: docs/LOG.md
        "half_life": Real(10_000.0, 160_000.0, HALF_LIFE, log=True),
        "trust_half_life": Real(5_000.0, 80_000.0, TRUST_HALF_LIFE, log=True),
        "penalty": Real(0.001, 1.0, PENALTY, log=True),
    }

    def __init__(
        self, names: tuple[str, ...], horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.half_life, self.trust_half_life, self.penalty = (
            float(self.tuned.get(name, default))
            for name, default in (
                ("half_life", HALF_LIFE),
                ("trust_half_life", TRUST_HALF_LIFE),
                ("penalty", PENALTY),
            )
        )
        self.middle, self.inverse = np.zeros(len(INPUTS)), np.ones(len(INPUTS))
        self.learnt: JSON = {}
        self.most = np.zeros(len(horizons))  # [H], see `forgetting.walk`
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q], of the residuals in units of the scale
        self._columns = columns(INPUTS, names, self.name)

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Fit the start on all symbols, then walk each from it for the quantiles of the residuals."""
        self.fingerprint = frames[0].fingerprint
        walks = [ewma_volatility.walk(ewma_volatility.initial(), frame)[1] for frame in frames]
        sigmas = [walk.sigma for walk in walks]
        raw = [scale_free(frame, self._columns, INPUTS, sigma) for frame, sigma in zip(frames, sigmas, strict=True)]
        labels = [targets(frame, sigma, self.horizons, CLIP) for frame, sigma in zip(frames, sigmas, strict=True)]
        self.middle, self.inverse = least_squares.scaling(
            x[_known(x) & settled(walk, frame.time, interval_ms(frame.interval))]
            for frame, walk, x in zip(frames, walks, raw, strict=True)
        )
        moments = Moments.none(len(INPUTS), len(self.horizons))
        for x, y in zip(raw, labels, strict=True):
            known = _known(x)
            moments.add(
                least_squares.standardise(x[known], self.middle, self.inverse), y[known], np.ones(int(known.sum()))
            )
        self.learnt = self._start(moments)
        lines = [self._walk(self.initial(), frame)[1] for frame in frames]
        self.spread = residual(np.concatenate(labels), np.concatenate(lines))

    def importance(self) -> Importance | None:
        """Return each input's share of the sizes of the coefficients that a symbol begins with, None before the fit."""
        return coefficients(INPUTS, np.array(self.learnt["weights"])) if self.learnt else None

    def structure(self) -> Structure:
        """Return the coefficients that a symbol begins with; they move with every label."""
        if not self.learnt:
            return super().structure()
        meaning = "of the mean in units of sigma sqrt(h), per standard deviation of the input, at a symbol's start"
        values = np.array(self.learnt["weights"])
        return Structure(coefficients=[Coefficients.of(meaning, ahead(self.horizons), INPUTS, values)])

    def contributions(self, row: Row) -> Parts:
        """Return each coefficient times its standardised input, shrunk as the forecast was."""
        return weighed(0.0, INPUTS, *online.learnt_row(row, len(INPUTS)))

    @property
    def _half_life(self) -> Floats:
        return np.asarray(self.half_life * np.sqrt(self.horizons))

    def _start(self, moments: Moments) -> JSON:
        """Return the estimate that a symbol begins with: of all rows, with the certainty of its memory length."""
        rows = np.maximum(moments.rows, 1.0)
        weights = moments.solve(self.penalty * rows)
        remembered = self._half_life / np.log(2) / np.array(self.horizons)
        mean = moments.gram / rows[:, None, None] + self.penalty * np.eye(len(INPUTS))
        covariance = np.linalg.inv(mean * remembered[:, None, None])
        self.most = WIND_UP * np.trace(covariance, axis1=1, axis2=2)
        along = np.einsum("hf,hf->h", weights, moments.cross) / rows
        size = np.einsum("hf,hfg,hg->h", weights, moments.gram, weights) / rows
        return Estimate(weights, covariance, np.column_stack([size, along])).to_json()

    def initial(self) -> JSON:
        """Return the initial state of a symbol: the start of all symbols, and an empty queue."""
        return {"volatility": ewma_volatility.initial(), "learnt": self.learnt, "bars": [], "queue": []}

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from what was known at its close; learn from labels only once they have matured."""
        new, mean, sigma = self._walk(state, frame)
        return new, from_mean(mean, sigma, self.horizons, self.spread)

    def _walk(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Floats, Floats]:
        """Return the state after the frame, the means [n, H] in units of sigma sqrt(h), and sigma [n]."""
        scale, sigma = ewma_volatility.step(state["volatility"], frame)
        x = scale_free(frame, self._columns, INPUTS, sigma)
        bars = np.array(state["bars"], dtype=np.float64).reshape(-1, 4)  # time, price, sigma, whether inputs are known
        bars = np.concatenate([bars, np.column_stack([frame.time, frame.close, sigma, _known(x)])])
        time, known = bars[:, 0].astype(np.int64), bars[:, 3] > 0
        z = least_squares.standardise(x, self.middle, self.inverse)
        rows = np.concatenate([z, np.zeros((len(z), len(self.horizons)))], axis=1)
        queue = np.array(state["queue"], dtype=np.float64).reshape(-1, rows.shape[1])
        rows = np.concatenate([queue, rows])
        at, y = waiting(time, bars[:, 1].copy(), bars[:, 2], self.horizons, CLIP, frame)
        estimate = Estimate.of(state["learnt"])
        mean = rls_kernel.walk(
            estimate,
            rows,
            len(queue),
            known,
            y,
            at,
            decay=0.5 ** (1 / self._half_life),
            weight=1 / np.array(self.horizons),
            most=self.most,
            memory=0.5 ** (1 / self.trust_half_life),
        )
        longest = max(self.horizons) * interval_ms(frame.interval)
        keep = int(np.searchsorted(time, time[-1] - longest, side="right")) if len(time) else 0
        new = {
            "volatility": scale,
            "learnt": estimate.to_json(),
            "bars": bars[keep:].tolist(),
            "queue": rows[keep:].tolist(),
        }
        return new, mean, sigma


def _known(x: Floats) -> Flags:
    """Return which rows have all inputs derived from prices: [n]."""
    return np.asarray(~np.isnan(x[:, : len(PRICES)]).any(axis=1))

"""Ridge regression on all features that compare over symbols and times, pooled over symbols."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from features.frame import FeatureFrame, Floats
from models import ewma_volatility, least_squares, search_space
from models.contributions import Parts, Row, weighed
from models.ewma_volatility import Walk
from models.forecaster import Forecasts
from models.importance import Importance, coefficients
from models.inputs import scale_free, usable
from models.intervals.distribution import NORMAL
from models.intervals.residual_quantiles import from_mean, residual
from models.json_model import JSONModel
from models.json_type import JSON
from models.labels import targets
from models.least_squares import Moments
from models.outlier_inputs import settled
from models.search_space import NONE, Parameters, Space
from models.structure import Coefficients, Structure, ahead
from models.trees.multi_output import MIN_ROWS
from topics.records import HORIZONS
from topics.units import interval_ms

Flags = npt.NDArray[np.bool_]

CLIP = 4.0
"""Targets are clipped to +- this many standard deviations."""
LEFT_OUT = ("week_sine", "week_cosine")
"""A sample's few weeks are too short to learn weekday effects."""
PENALTIES = np.logspace(0, 6, 19)
HELD_OUT = 0.2
"""The last part of the fit's time, on which the penalty and the slope are found."""


class Ridge(JSONModel):
    """Coefficients of ln(P(t+h) / P(t)) / (sigma sqrt(h)) on standardised inputs, a penalty for each horizon.

    A label weighs 1 / h (uniqueness; Lopez de Prado 2018, ch. 4), and half as much for every `half_life` days of age.
    """

    name: ClassVar[str] = "ridge"
    carried_state: ClassVar[tuple[str, ...]] = ewma_volatility.STATE
    kept: ClassVar[tuple[str, ...]] = ("split", "middle", "inverse", "penalty", "weights", "spread")
    settings: ClassVar[JSON] = {
        "left_out": LEFT_OUT,
        "clip": [CLIP, least_squares.LARGEST],
        "half_life": ewma_volatility.RULE,
    }

    SPACE: ClassVar[Space] = {"clip": search_space.CLIP, "half_life": search_space.HALF_LIFE}

    def __init__(
        self, names: tuple[str, ...], horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.clip = float(self.tuned.get("clip", CLIP))
        self.half_life = search_space.half_life(self.tuned.get("half_life", "none"))
        self.inputs = tuple(name for name in usable(names) if name not in LEFT_OUT)
        self.split = 0  # epoch ms: the penalty was chosen on what comes at or after it
        self.middle, self.inverse = np.zeros(len(self.inputs)), np.ones(len(self.inputs))
        self.penalty = np.zeros(len(horizons))
        self.weights = np.zeros((len(horizons), len(self.inputs)))
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q], of the residuals in units of the scale
        self._columns = [names.index(name) for name in self.inputs]

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Choose the penalty and the slope on the last part of the time span, purged, then fit on everything.

        Raises ValueError if there are too few labelled rows.
        """
        self.fingerprint = frames[0].fingerprint
        walks = [ewma_volatility.walk(ewma_volatility.initial(), frame)[1] for frame in frames]
        sigmas = [walk.sigma for walk in walks]
        time = np.concatenate([frame.time for frame in frames])
        newest = int(time.max()) if len(time) else 0
        self.split = int(np.quantile(time, 1 - HELD_OUT)) if len(time) else 0
        self.middle, self.inverse = self._scaling(frames, walks)
        first, between, last = (Moments.none(len(self.inputs), len(self.horizons)) for _ in range(3))
        counts = np.zeros(3, dtype=np.int64)
        labels = [targets(frame, sigma, self.horizons, self.clip) for frame, sigma in zip(frames, sigmas, strict=True)]
        for frame, sigma, y in zip(frames, sigmas, labels, strict=True):
            reach = max(self.horizons) * interval_ms(frame.interval)
            for rows, x, known in self._parts(frame, sigma):
                z = least_squares.standardise(x, self.middle, self.inverse)
                weight = least_squares.recency(frame.time[rows], newest, self.half_life)
                late = frame.time[rows] >= self.split
                early = frame.time[rows] + reach < self.split
                for part, (moments, chosen) in enumerate(((first, early), (between, ~early & ~late), (last, late))):
                    moments.add(z[known & chosen], y[rows][known & chosen], weight[known & chosen])
                    counts[part] += int((known & chosen & ~np.isnan(y[rows]).all(axis=1)).sum())
        if min(counts[0], counts[2]) < MIN_ROWS:
            raise ValueError(
                f"{counts[0]} rows to train {self.name!r} on and {counts[2]} held out: "
                f"at least {MIN_ROWS} of each are needed; give more bars"
            )
        losses = np.array([last.loss(self._solve(first, np.full(len(self.horizons), size))) for size in PENALTIES])
        self.penalty = PENALTIES[np.argmin(losses, axis=0)]
        slope = last.shrinkage(self._solve(first, self.penalty))
        self.weights = slope[:, None] * self._solve(first + between + last, self.penalty)
        lines = [self._mean(frame, sigma) for frame, sigma in zip(frames, sigmas, strict=True)]
        self.spread = residual(np.concatenate(labels), np.concatenate(lines))

    def importance(self) -> Importance | None:
        """Return each input's share of the coefficients' sizes, None before the fit."""
        return coefficients(self.inputs, self.weights)

    def structure(self) -> Structure:
        """Return the coefficients."""
        return Structure(
            coefficients=[
                Coefficients.of(
                    "of the mean in units of sigma sqrt(h), per standard deviation of the input",
                    ahead(self.horizons),
                    self.inputs,
                    self.weights,
                )
            ]
        )

    def contributions(self, row: Row) -> Parts:
        """Return each coefficient times its standardised input."""
        x = scale_free(row.frame, self._columns, self.inputs, np.array([row.sigma]))
        z = least_squares.standardise(x, self.middle, self.inverse)[0]
        return weighed(0.0, self.inputs, z, self.weights[row.column])

    def _scaling(self, frames: list[FeatureFrame], walks: list[Walk]) -> tuple[Floats, Floats]:
        """Return what standardises the inputs, of all settled rows: it sees no label."""
        return least_squares.scaling(part for both in zip(frames, walks, strict=True) for part in self._settled(*both))

    def _settled(self, frame: FeatureFrame, walk: Walk) -> Iterator[Floats]:
        calm = settled(walk, frame.time, interval_ms(frame.interval))
        for rows, x, known in self._parts(frame, walk.sigma):
            yield x[known & calm[rows]]

    def _solve(self, moments: Moments, penalty: Floats) -> Floats:
        return moments.solve(penalty * np.array(self.horizons))  # a label weighs 1 / h: the penalty h times as much

    def _parts(self, frame: FeatureFrame, sigma: Floats) -> Iterator[tuple[slice, Floats, Flags]]:
        """Yield blocks of rows, their inputs, and which know their volatility and at least half of the inputs."""
        for rows in least_squares.blocks(frame):
            x = scale_free(frame[rows], self._columns, self.inputs, sigma[rows])
            yield rows, x, ~np.isnan(sigma[rows]) & (np.isnan(x).mean(axis=1) <= 0.5)

    def _mean(self, frame: FeatureFrame, sigma: Floats) -> Floats:
        """Return the means [n, H] in units of sigma sqrt(h), NaN if unknown."""
        output = np.empty((len(frame), len(self.horizons)))
        for rows, x, known in self._parts(frame, sigma):
            z = least_squares.standardise(x, self.middle, self.inverse)
            output[rows] = np.where(known[:, None], least_squares.combine(z, self.weights), np.nan)
        return output

    def initial(self) -> JSON:
        """Return the initial state of a symbol."""
        return ewma_volatility.initial()

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from its features and the volatility at its close."""
        state, sigma = ewma_volatility.step(state, frame)
        return state, from_mean(self._mean(frame, sigma), sigma, self.horizons, self.spread)

"""Ridge regression on all features that compare over symbols and times, pooled over symbols."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from features.frame import FeatureFrame, Floats
from models import linear, space, volatility
from models.boosting import MIN_ROWS
from models.distribution import NORMAL
from models.fitted import Fitted
from models.forecaster import JSON, Forecasts
from models.inputs import scale_free, usable
from models.labels import targets
from models.linear import Moments
from models.space import NONE, Parameters, Space
from models.standard import from_mean, residual
from topics.records import HORIZONS
from topics.units import interval_ms

Flags = npt.NDArray[np.bool_]

CLIP = 4.0
"""Targets are clipped to +- this many standard deviations."""
LEFT_OUT = ("week_sine", "week_cosine")
"""The few weeks of a sample cannot teach what a weekday means."""
PENALTIES = np.logspace(0, 6, 19)
HELD_OUT = 0.2
"""The last part of the fit's time, on which the penalty and the slope are found."""


class Ridge(Fitted):
    """Coefficients of ln(P(t+h) / P(t)) / (sigma sqrt(h)) on standardised inputs, a penalty for each horizon.

    A label weighs 1 / h (uniqueness; Lopez de Prado 2018, ch. 4), and half as much for every `half_life` days of age.
    """

    name: ClassVar[str] = "ridge"
    market: ClassVar[tuple[str, ...]] = volatility.STATE
    kept: ClassVar[tuple[str, ...]] = ("split", "middle", "inverse", "penalty", "weights", "spread")
    settings: ClassVar[JSON] = {"left_out": LEFT_OUT, "clip": [CLIP, linear.LARGEST], "half_life": volatility.HALF_LIFE}

    SPACE: ClassVar[Space] = {"clip": space.CLIP, "half_life": space.HALF_LIFE}

    def __init__(
        self, names: tuple[str, ...], horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.clip = float(self.tuned.get("clip", CLIP))
        self.half_life = space.half_life(self.tuned.get("half_life", "none"))
        self.inputs = tuple(name for name in usable(names) if name not in LEFT_OUT)
        self.split = 0  # epoch ms: the penalty was chosen on what comes at or after it
        self.middle, self.inverse = np.zeros(len(self.inputs)), np.ones(len(self.inputs))
        self.penalty = np.zeros(len(horizons))
        self.weights = np.zeros((len(horizons), len(self.inputs)))
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q], of the residuals in units of the scale
        self._columns = [names.index(name) for name in self.inputs]

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Choose the penalty and the slope on the last part of the time span, purged, then fit on everything.

        Raises ValueError where there are too few labelled rows.
        """
        self.fingerprint = frames[0].fingerprint
        sigmas = [volatility.step(volatility.initial(), frame)[1] for frame in frames]
        time = np.concatenate([frame.time for frame in frames])
        newest = int(time.max()) if len(time) else 0
        self.split = int(np.quantile(time, 1 - HELD_OUT)) if len(time) else 0
        self.middle, self.inverse = self._scaling(frames, sigmas)
        first, between, last = (Moments.none(len(self.inputs), len(self.horizons)) for _ in range(3))
        counts = np.zeros(3, dtype=np.int64)
        labels = [targets(frame, sigma, self.horizons, self.clip) for frame, sigma in zip(frames, sigmas, strict=True)]
        for frame, sigma, y in zip(frames, sigmas, labels, strict=True):
            reach = max(self.horizons) * interval_ms(frame.interval)
            for rows, x, known in self._parts(frame, sigma):
                z = linear.standardise(x, self.middle, self.inverse)
                weight = linear.recency(frame.time[rows], newest, self.half_life)
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
        slope = last.slope(self._solve(first, self.penalty))
        self.weights = slope[:, None] * self._solve(first + between + last, self.penalty)
        said = [self._mean(frame, sigma) for frame, sigma in zip(frames, sigmas, strict=True)]
        self.spread = residual(np.concatenate(labels), np.concatenate(said))

    def _scaling(self, frames: list[FeatureFrame], sigmas: list[Floats]) -> tuple[Floats, Floats]:
        """Return what standardises the inputs, of all rows: it sees no label."""
        return linear.scaling(
            x[known] for frame, sigma in zip(frames, sigmas, strict=True) for _, x, known in self._parts(frame, sigma)
        )

    def _solve(self, moments: Moments, penalty: Floats) -> Floats:
        return moments.solve(penalty * np.array(self.horizons))  # a label weighs 1 / h: the penalty h times as much

    def _parts(self, frame: FeatureFrame, sigma: Floats) -> Iterator[tuple[slice, Floats, Flags]]:
        """Yield blocks of rows, their inputs, and which know their volatility and at least half of the inputs."""
        for rows in linear.blocks(frame):
            x = scale_free(frame[rows], self._columns, self.inputs, sigma[rows])
            yield rows, x, ~np.isnan(sigma[rows]) & (np.isnan(x).mean(axis=1) <= 0.5)

    def _mean(self, frame: FeatureFrame, sigma: Floats) -> Floats:
        """Return the means [n, H] in units of sigma sqrt(h), NaN where unknown."""
        said = np.empty((len(frame), len(self.horizons)))
        for rows, x, known in self._parts(frame, sigma):
            z = linear.standardise(x, self.middle, self.inverse)
            said[rows] = np.where(known[:, None], linear.combine(z, self.weights), np.nan)
        return said

    def initial(self) -> JSON:
        """Return the state of a symbol that was not seen yet."""
        return volatility.initial()

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from its features and the volatility at its close."""
        state, sigma = volatility.step(state, frame)
        return state, from_mean(self._mean(frame, sigma), sigma, self.horizons, self.spread)

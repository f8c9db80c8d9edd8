"""LightGBM: one booster whose outputs are, for every horizon, the mean and all quantiles of the standardised return."""

from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from features.frame import FeatureFrame, Floats
from models import artifact, boosting, linear, space, volatility
from models.distribution import NORMAL, odds_up
from models.forecaster import JSON, Forecasts
from models.inputs import scale_free, usable
from models.labels import targets
from models.lightgbm_library import trees
from models.plain_lightgbm import lightgbm
from models.space import NONE, Integer, Parameters, Real, Space
from models.trees import Trees
from topics.records import HORIZONS, QUANTILES
from topics.units import interval_ms

Flags = npt.NDArray[np.bool_]

BOOSTER = "booster.txt"
CLIP = 4.0
"""Targets are clipped to +- this many standard deviations."""
LEFT_OUT = ("week_sine", "week_cosine")
"""The few weeks of a sample cannot teach what a weekday means."""
ROWS = 80_000
"""Rows trained on, at most: of more, every second, third ... is taken."""
HELD_OUT = 0.2
"""The last part of the fit's time, which shrinks and centres what the booster learnt on the rest."""
BOOSTER_SPACE: Space = {
    **trees(boosting.PARAMETERS),
    # The pilots' rates are for 120 to 250 trees; for so few they are higher. Each round costs time at every bar.
    "learning_rate": Real(0.02, 0.12, boosting.PARAMETERS["learning_rate"], log=True),
    "rounds": Integer(20, 80, boosting.ROUNDS, log=True),
}


class GBM:
    """Quantiles and means of ln(P(t+h) / P(t)) / (sigma sqrt(h)), pooled over symbols, for all horizons at once.

    The output is base + shrink * (what the trees say), each quantile moved to its level on the held-out end of the
    sample. `scale` is what a normal distribution with the forecast's 5 to 95 % range would have.
    """

    name: ClassVar[str] = "gbm"
    market: ClassVar[tuple[str, ...]] = volatility.STATE
    SPACE: ClassVar[Space] = {**BOOSTER_SPACE, "clip": space.CLIP, "half_life": space.HALF_LIFE}
    thin: int = 1
    """Only every so many-th row is trained on; what comes of it is in the booster."""

    def __init__(
        self, names: tuple[str, ...], horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        self.tuned = space.tuned(self.name, self.SPACE, parameters)
        self.names = names
        self.horizons = horizons
        self.fingerprint = ""
        self.inputs = tuple(name for name in usable(names) if name not in LEFT_OUT)
        self.shift = np.zeros((len(horizons), 1 + len(QUANTILES)))  # [H, 1 + Q], mean first, in units of sigma sqrt(h)
        self.shrink = np.zeros((len(horizons), 1 + len(QUANTILES)))
        self.split = 0  # epoch ms: the trees saw no label at or after it
        self._booster: lightgbm.Booster | None = None
        self._trees: Trees | None = None
        self._columns = [names.index(name) for name in self.inputs]

    @property
    def version(self) -> str:
        """Return the hash of the definition and of what was fitted."""
        return artifact.version(self._definition())

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:
        """Train on the first part of the time span, shrink and centre on the rest, purged of labels that reach across.

        Raises ValueError where there are too few labelled rows.
        """
        self.fingerprint = frames[0].fingerprint
        parts = [self._rows(frame) for frame in frames]
        time, x, y, ends = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        self.split = int(np.quantile(time, 1 - HELD_OUT)) if len(time) else 0
        first, last = ends < self.split, time >= self.split
        if min(first.sum(), last.sum()) < boosting.MIN_ROWS:
            raise ValueError(
                f"{int(first.sum())} rows to train {self.name!r} on and {int(last.sum())} held out: "
                f"at least {boosting.MIN_ROWS} of each are needed; give more bars"
            )
        every = -(-int(first.sum()) // ROWS) * self.thin
        base = boosting.base(y[first], NORMAL)
        own = {name: value for name, value in self.tuned.items() if name in BOOSTER_SPACE}
        recency = linear.recency(time[first][::every], time.max(), space.half_life(self.tuned.get("half_life", "none")))
        self._booster = boosting.train(
            x[first][::every], y[first][::every], self.horizons, base, seed, own, recency, self.thin
        )
        self._trees = Trees.of(self._booster)
        said = self._trees.predict(x[last]).reshape(-1, *base.shape)
        self.shrink, self.shift = boosting.temper(said, y[last], base)

    def _rows(self, frame: FeatureFrame) -> tuple[Floats, Floats, Floats, Floats]:
        """Return time [n], inputs [n, F], targets [n, H] and when the last is known [n], of rows with any."""
        _, sigma = volatility.step(volatility.initial(), frame)
        y = targets(frame, sigma, self.horizons, float(self.tuned.get("clip", CLIP)))
        x, known = self._inputs(frame, sigma)
        rows = known & ~np.isnan(y).all(axis=1)
        ends = frame.time + max(self.horizons) * interval_ms(frame.interval)
        return frame.time[rows].astype(np.float64), x[rows], y[rows], ends[rows].astype(np.float64)

    def _inputs(self, frame: FeatureFrame, sigma: Floats) -> tuple[Floats, Flags]:
        """Return the inputs [n, F], and which rows know their volatility and at least half of the inputs."""
        x = scale_free(frame, self._columns, self.inputs, sigma)
        return x, ~np.isnan(sigma) & (np.isnan(x).mean(axis=1) <= 0.5)

    def initial(self) -> JSON:
        """Return the state of a symbol that was not seen yet."""
        return volatility.initial()

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from its features and the volatility at its close."""
        if self._trees is None:
            raise ValueError(f"model {self.name!r} was not fitted; run foretick train")
        state, sigma = volatility.step(state, frame)
        x, known = self._inputs(frame, sigma)
        said = self._trees.predict(x).reshape(-1, *self.shift.shape)
        standard = self.shift + self.shrink * said
        standard[~known] = np.nan
        quantiles = np.sort(standard[:, :, 1:], axis=2)  # monotone rearrangement (Chernozhukov et al. 2010)
        width = np.maximum((quantiles[:, :, -1] - quantiles[:, :, 0]) / (NORMAL[-1] - NORMAL[0]), 0.01)
        unit = sigma[:, None] * np.sqrt(self.horizons)
        mean = standard[:, :, 0]
        return state, Forecasts(mean * unit, width * unit, quantiles * unit[:, :, None], odds_up(mean / width))

    def booster_text(self) -> str:
        """Return the booster in LightGBM's text format, empty before the fit."""
        return "" if self._booster is None else self._booster.model_to_string()

    def _definition(self) -> JSON:
        return {
            "model": self.name,
            "fingerprint": self.fingerprint,
            "names": self.names,
            "horizons": self.horizons,
            "half_life": volatility.HALF_LIFE,
            "split": self.split,
            "shift": self.shift.tolist(),
            "shrink": self.shrink.tolist(),
            "booster_sha256": artifact.sha256(self.booster_text().encode()),
            **space.noted(self.tuned),
        }

    def save(self, folder: Path) -> None:
        """Write model.json, and the booster in LightGBM's text format."""
        artifact.write(folder, self._definition())
        (folder / BOOSTER).write_text(self.booster_text(), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises ValueError with one line where it is not this model's, or was changed."""
        definition = artifact.read(folder, cls.name)
        text = artifact.read_text(folder / BOOSTER, definition["booster_sha256"])
        model = cls(tuple(definition["names"]), tuple(definition["horizons"]), space.of(definition))
        model.fingerprint = definition["fingerprint"]
        model.split = definition["split"]
        model.shift, model.shrink = np.array(definition["shift"]), np.array(definition["shrink"])
        model._booster = lightgbm.Booster(model_str=text)
        model._trees = Trees.of(model._booster)
        return model

"""What the boosted trees of the zoo share: a booster a horizon for the standardised return, tempered on unseen rows.

Trained on the first part of the fit's time span; the last part, purged of labels that reach across, shows how far to
trust the trees (shrink) and how the standardised residuals are spread. Rows pool all symbols. Parameters are those that
pilots on real minutes point to (docs/LOG.md).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt

from features.frame import FeatureFrame, Floats, Ints
from models import artifact, linear, space, volatility
from models.boosting import MIN_ROWS, slope
from models.distribution import odds_up, spread
from models.forecaster import JSON, Forecasts
from models.inputs import scale_free, usable
from models.labels import targets
from models.space import NONE, Parameters, Space
from topics.records import HORIZONS, QUANTILES
from topics.units import interval_ms

Flags = npt.NDArray[np.bool_]
Inputs = npt.NDArray[np.float32]
Booster = TypeVar("Booster")

CLIP = 4.0
"""Targets are clipped to +- this many standard deviations."""
LEFT_OUT = ("week_sine", "week_cosine")
"""A window of months has too few weeks to teach what a weekday means: left in, they cost skill at 15 and 60 bars."""
ROWS = 250_000
"""Rows trained on, at most: of more, every second, third ... is taken."""
HELD_OUT = 0.2
"""The last part of the fit's time, which tempers what was learnt on the rest."""
SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Of the trees that were grown, the share that did best on the held-out rows is kept, for each horizon."""


@dataclass(frozen=True)
class Rows:
    """Labelled rows of all symbols in time order: `time` and `ends` (when the last label is known) [n] in epoch ms.

    `x` [n, F], the standardised returns `y` [n, H], and one matrix [n, H] for each target that the model learns.
    """

    time: Floats
    ends: Floats
    x: Inputs
    y: Floats
    targets: tuple[Floats, ...]

    def __getitem__(self, rows: Flags | Ints | slice) -> "Rows":
        targets = tuple(target[rows] for target in self.targets)
        return Rows(self.time[rows], self.ends[rows], self.x[rows], self.y[rows], targets)


class Boosted(ABC, Generic[Booster]):
    """Means of ln(P(t+h) / P(t)) / (sigma sqrt(h)) from one booster a horizon and target, whose outputs are added.

    The scale is sigma sqrt(h); the quantiles are those of the held-out residuals around the mean.
    """

    name: ClassVar[str]
    market: ClassVar[tuple[str, ...]] = volatility.STATE
    rounds: ClassVar[int] = 250
    SPACE: ClassVar[Space]
    thin: int = 1
    """Only every so many-th row is trained on; what comes of it is in the boosters."""

    def __init__(
        self, names: tuple[str, ...], horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        self.tuned = space.tuned(self.name, self.SPACE, parameters)
        self.clip = float(self.tuned.get("clip", CLIP))
        self.half_life = space.half_life(self.tuned.get("half_life", "none"))
        self.names = names
        self.horizons = horizons
        self.fingerprint = ""
        self.inputs = tuple(name for name in usable(names) if name not in LEFT_OUT)
        self.split = 0  # epoch ms: the trees saw no label at or after it
        self.shrink = np.zeros(len(horizons))
        self.spread = np.zeros((len(horizons), len(QUANTILES)))
        self.boosters: list[list[Booster]] = []  # by target, then by horizon
        self._columns = [names.index(name) for name in self.inputs]

    @property
    def version(self) -> str:
        """Return the hash of the definition and of what was fitted."""
        return artifact.version(self._definition())

    @abstractmethod
    def _train(self, x: Inputs, y: Floats, weight: Floats, seed: int) -> Booster: ...

    @abstractmethod
    def _said(self, booster: Booster, x: Inputs) -> Floats: ...

    @abstractmethod
    def _cut(self, booster: Booster, rounds: int) -> Booster: ...

    @abstractmethod
    def _text(self, booster: Booster) -> str: ...

    @abstractmethod
    def _booster(self, text: str) -> Booster: ...

    def _targets(self, frame: FeatureFrame, sigma: Floats) -> tuple[Floats, ...]:
        """Return what is learnt, one matrix [n, H] a booster; their forecasts are added."""
        return (targets(frame, sigma, self.horizons, self.clip),)

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:
        """Train on the first part of the time span, temper on the rest.

        Raises ValueError where there are too few labelled rows.
        """
        self.fingerprint = frames[0].fingerprint
        rows = self._rows(frames)
        self.split = int(np.quantile(rows.time, 1 - HELD_OUT)) if len(rows.time) else 0
        first, last = rows.ends < self.split, rows.time >= self.split
        if min(first.sum(), last.sum()) < MIN_ROWS:
            raise ValueError(
                f"{int(first.sum())} rows to train {self.name!r} on and {int(last.sum())} held out: "
                f"at least {MIN_ROWS} of each are needed; give more bars"
            )
        taken, unseen = rows[first][:: -(-int(first.sum()) // ROWS) * self.thin], rows[last]
        weight = linear.recency(taken.time, rows.time.max(), self.half_life)
        self.boosters = [
            [
                self._fitted(taken.x, target[:, column], weight, unseen.x, left[:, column], seed)
                for column in range(len(self.horizons))
            ]
            for target, left in zip(taken.targets, unseen.targets, strict=True)
        ]
        self._temper(unseen)

    def _fitted(self, x: Inputs, y: Floats, weight: Floats, unseen: Inputs, answer: Floats, seed: int) -> Booster:
        known, there = ~np.isnan(y), ~np.isnan(answer)
        if not (known.any() and there.any()):
            return self._train(x, np.zeros(len(x)), weight, seed)
        whole = self._train(x[known], y[known], weight[known], seed)
        shorter = [self._cut(whole, round(share * self.rounds)) for share in SHARES]
        losses = [self._loss(answer[there], self._said(booster, unseen[there])) for booster in shorter]
        return shorter[int(np.argmin(losses))]

    def _loss(self, y: Floats, said: Floats) -> float:
        """Return the squared error of what was said, shrunk as `_temper` would."""
        return float(np.mean((y - slope(y, said) * said) ** 2))

    def _temper(self, rows: Rows) -> None:
        """Set the slope of the unseen targets on what the trees say, between 0 and 1, and the residuals' quantiles."""
        said = self._sum(rows.x)
        for column in range(len(self.horizons)):
            target, mean = rows.y[:, column], said[:, column]
            known = ~np.isnan(target)
            self.shrink[column] = slope(target[known], mean[known])
            self.spread[column] = spread(target - self.shrink[column] * mean)

    def _rows(self, frames: list[FeatureFrame]) -> Rows:
        parts = [self._labelled(frame) for frame in frames]
        every = Rows(
            np.concatenate([part.time for part in parts]),
            np.concatenate([part.ends for part in parts]),
            np.concatenate([part.x for part in parts]),
            np.concatenate([part.y for part in parts]),
            tuple(np.concatenate(found) for found in zip(*(part.targets for part in parts), strict=True)),
        )
        return every[np.argsort(every.time, kind="stable")]

    def _labelled(self, frame: FeatureFrame) -> Rows:
        _, sigma = volatility.step(volatility.initial(), frame)
        y = targets(frame, sigma, self.horizons, np.inf)
        x, known = self._inputs(frame, sigma)
        rows = known & ~np.isnan(y).all(axis=1)
        time = frame.time.astype(np.float64)
        ends = time + max(self.horizons) * interval_ms(frame.interval)
        return Rows(time, ends, x, y, self._targets(frame, sigma))[rows]

    def _inputs(self, frame: FeatureFrame, sigma: Floats) -> tuple[Inputs, Flags]:
        """Return the inputs [n, F], and which rows know their volatility and at least half of the inputs."""
        x = scale_free(frame, self._columns, self.inputs, sigma).astype(np.float32)
        return x, ~np.isnan(sigma) & (np.isnan(x).mean(axis=1) <= 0.5)

    def _sum(self, x: Inputs) -> Floats:
        """Return what the boosters say together, in units of sigma sqrt(h): [n, H]."""
        said = np.zeros((len(x), len(self.horizons)))
        for boosters in self.boosters:
            for column, booster in enumerate(boosters):
                said[:, column] += self._said(booster, x)
        return said

    def initial(self) -> JSON:
        """Return the state of a symbol that was not seen yet."""
        return volatility.initial()

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from its features and the volatility at its close."""
        if not self.boosters:
            raise ValueError(f"model {self.name!r} was not fitted; run foretick train")
        state, sigma = volatility.step(state, frame)
        x, known = self._inputs(frame, sigma)
        unit = np.where(known, sigma, np.nan)[:, None] * np.sqrt(self.horizons)
        return state, self._forecasts(x, unit)

    def _forecasts(self, x: Inputs, unit: Floats) -> Forecasts:
        """Return the forecasts for inputs [n, F], in units of sigma sqrt(h) [n, H], NaN where nothing is to be said."""
        mean = self.shrink * self._sum(x)
        quantiles = (mean[:, :, None] + self.spread) * unit[:, :, None]
        return Forecasts(mean * unit, unit, quantiles, odds_up(np.where(np.isnan(unit), np.nan, mean)))

    def texts(self) -> list[str]:
        """Return the boosters in their library's text format, by target, then by horizon."""
        return [self._text(booster) for boosters in self.boosters for booster in boosters]

    def _definition(self) -> JSON:
        return {
            "model": self.name,
            "fingerprint": self.fingerprint,
            "names": self.names,
            "horizons": self.horizons,
            "half_life": volatility.HALF_LIFE,
            "split": self.split,
            "shrink": self.shrink.tolist(),
            "spread": self.spread.tolist(),
            "boosters_sha256": [artifact.sha256(text.encode()) for text in self.texts()],
            **space.noted(self.tuned),
        }

    def save(self, folder: Path) -> None:
        """Write model.json, and each booster in its library's text format."""
        artifact.write(folder, self._definition())
        for number, text in enumerate(self.texts()):
            (folder / _file(number)).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises ValueError with one line where it is not this model's, or was changed."""
        definition = artifact.read(folder, cls.name)
        model = cls(tuple(definition["names"]), tuple(definition["horizons"]), space.of(definition))
        model.fingerprint = definition["fingerprint"]
        model.split = definition["split"]
        model.shrink, model.spread = np.array(definition["shrink"]), np.array(definition["spread"])
        expected = definition["boosters_sha256"]
        loaded = [model._booster(artifact.read_text(folder / _file(k), sha)) for k, sha in enumerate(expected)]
        step = len(model.horizons)
        model.boosters = [loaded[first : first + step] for first in range(0, len(loaded), step)]
        return model


def _file(number: int) -> str:
    return f"booster-{number}.txt"

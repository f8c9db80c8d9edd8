"""Common base of the boosted trees: a booster per horizon for the standardised return, shrunk on unseen rows.

They are trained on the first part of the fit's time span; on the last part, purged of labels that reach across, the
shrinkage and the quantiles of the standardised residuals are fitted. Rows pool all symbols. Parameters are from pilots
on real minutes (docs/LOG.md).
"""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt

from features.frame import FeatureFrame, Floats, Ints
from models import artifact, ewma_volatility, least_squares, search_space
from models.contributions import Parts, Row
from models.ewma_volatility import Walk
from models.forecaster import Forecaster, Forecasts, told
from models.importance import GAIN, Importance
from models.inputs import scale_free, usable
from models.intervals.distribution import prob_up, sample_quantiles
from models.json_type import JSON
from models.labels import targets
from models.outlier_inputs import InputRange
from models.search_space import NONE, Parameters
from models.structure import Forest, Structure, Tree, ahead
from models.trees.lightgbm_parameters import Tell
from models.trees.multi_output import MIN_ROWS, shrinkage_of
from topics.records import HORIZONS, QUANTILES
from topics.units import interval_ms

Flags = npt.NDArray[np.bool_]
Inputs = npt.NDArray[np.float32]
Booster = TypeVar("Booster")

CLIP = 4.0
"""Targets are clipped to +- this many standard deviations."""
LEFT_OUT = ("week_sine", "week_cosine")
"""A window of months has too few weeks to learn weekday effects: left in, they cost skill at 15 and 60 bars."""
ROWS = 250_000
"""The most training rows: of more, every second, third ... is used."""
HELD_OUT = 0.2
"""The last part of the fit's time, on which shrinkage is fitted for what was learnt on the rest."""
SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Of the trees that were grown, the share that did best on the held-out rows is kept, for each horizon."""


@dataclass(frozen=True, kw_only=True)
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
        return Rows(time=self.time[rows], ends=self.ends[rows], x=self.x[rows], y=self.y[rows], targets=targets)


@dataclass(frozen=True)
class ProgressRows:
    """Held-out rows on which each round is scored, and the callback."""

    x: Inputs
    y: Floats
    tell: Tell


class Boosted(Forecaster, Generic[Booster]):
    """Means of ln(P(t+h) / P(t)) / (sigma sqrt(h)) from one booster a horizon and target, whose outputs are added.

    The scale is sigma sqrt(h); the quantiles are those of the held-out residuals around the mean.
    """

    carried_state: ClassVar[tuple[str, ...]] = ewma_volatility.STATE
    rounds: ClassVar[int] = 250
    iterative: ClassVar[bool] = True
    parts: ClassVar[tuple[str, ...]] = ("",)
    """The targets' names, if there are several."""

    def __init__(
        self, names: tuple[str, ...], horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.clip = float(self.tuned.get("clip", CLIP))
        self.half_life = search_space.half_life(self.tuned.get("half_life", "none"))
        self.inputs = tuple(name for name in usable(names) if name not in LEFT_OUT)
        self.split = 0  # epoch ms: the trees saw no label at or after it
        self.shrinkage = np.zeros(len(horizons))
        self.residual_quantiles = np.zeros((len(horizons), len(QUANTILES)))
        self.ordinary = InputRange.none(len(self.inputs))
        self.boosters: list[list[Booster]] = []  # by target, then by horizon
        self._columns = [names.index(name) for name in self.inputs]

    @abstractmethod
    def _train(
        self, x: Inputs, y: Floats, weight: Floats, seed: int, progress: ProgressRows | None = None
    ) -> Booster: ...

    @abstractmethod
    def _predict(self, booster: Booster, x: Inputs) -> Floats: ...

    @abstractmethod
    def _truncate(self, booster: Booster, rounds: int) -> Booster: ...

    @abstractmethod
    def _gain(self, booster: Booster) -> Floats:
        """Return the total gain of the splits on each input: [F]."""

    @abstractmethod
    def _shap(self, booster: Booster, x: Inputs) -> Floats:
        """Return the SHAP values of one row x [1, F] and, last, the expected output: [F + 1]."""

    @abstractmethod
    def _records(self, booster: Booster) -> list[Tree]: ...

    @abstractmethod
    def _text(self, booster: Booster) -> str: ...

    @abstractmethod
    def _booster(self, text: str) -> Booster: ...

    def _targets(self, frame: FeatureFrame, walk: Walk) -> tuple[Floats, ...]:
        """Return the targets, one matrix [n, H] per booster; their forecasts are added."""
        return (targets(frame, walk.sigma, self.horizons, self.clip),)

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:
        """Train on the first part of the time span, fit the shrinkage on the rest.

        Raises ValueError if there are too few labelled rows.
        """
        self.fingerprint = frames[0].fingerprint
        self.ordinary = InputRange.none(len(self.inputs))
        rows = self._rows(frames)
        self.split = int(np.quantile(rows.time, 1 - HELD_OUT)) if len(rows.time) else 0
        first, last = rows.ends < self.split, rows.time >= self.split
        if min(first.sum(), last.sum()) < MIN_ROWS:
            raise ValueError(
                f"{int(first.sum())} rows to train {self.name!r} on and {int(last.sum())} held out: "
                f"at least {MIN_ROWS} of each are needed; give more bars"
            )
        taken, unseen = rows[first][:: -(-int(first.sum()) // ROWS) * self.thin], rows[last]
        weight = least_squares.recency(taken.time, rows.time.max(), self.half_life)
        self.boosters = [
            [
                self._fitted(
                    taken.x, target[:, column], weight, unseen.x, left[:, column], seed, self._tell(part, ahead)
                )
                for column, ahead in enumerate(self.horizons)
            ]
            for part, target, left in zip(self.parts, taken.targets, unseen.targets, strict=True)
        ]
        self.ordinary = InputRange.of(rows[first].x[:, : len(self.inputs)].astype(np.float64))
        self._fit_shrinkage(unseen)

    def _tell(self, part: str, horizon: int) -> Tell | None:
        """Return the callback of one booster's rounds, None if there is none."""
        progress, whose = self.progress, f"{part} {horizon:02} bars ahead".lstrip()
        if progress is None:
            return None
        return lambda number, taught, held_out: progress(told("round", number, self.rounds, taught, held_out, whose))

    def _fitted(
        self, x: Inputs, y: Floats, weight: Floats, unseen: Inputs, answer: Floats, seed: int, tell: Tell | None
    ) -> Booster:
        known, there = ~np.isnan(y), ~np.isnan(answer)
        if not (known.any() and there.any()):
            return self._train(x, np.zeros(len(x)), weight, seed)
        progress = ProgressRows(unseen[there], answer[there], tell) if tell else None
        whole = self._train(x[known], y[known], weight[known], seed, progress)
        shorter = [self._truncate(whole, round(share * self.rounds)) for share in SHARES]
        losses = [self._loss(answer[there], self._predict(booster, unseen[there])) for booster in shorter]
        return shorter[int(np.argmin(losses))]

    def _loss(self, y: Floats, output: Floats) -> float:
        """Return the squared error of the output, shrunk as by `_fit_shrinkage`."""
        return float(np.mean((y - shrinkage_of(y, output) * output) ** 2))

    def _fit_shrinkage(self, rows: Rows) -> None:
        """Set the shrinkage, the slope of the unseen targets on the trees' output between 0 and 1, and the residuals'
        quantiles."""
        output = self._sum(rows.x)
        for column in range(len(self.horizons)):
            target, mean = rows.y[:, column], output[:, column]
            known = ~np.isnan(target)
            self.shrinkage[column] = shrinkage_of(target[known], mean[known])
            self.residual_quantiles[column] = sample_quantiles(target - self.shrinkage[column] * mean)

    def _rows(self, frames: list[FeatureFrame]) -> Rows:
        parts = [self._labelled(frame) for frame in frames]
        every = Rows(
            time=np.concatenate([part.time for part in parts]),
            ends=np.concatenate([part.ends for part in parts]),
            x=np.concatenate([part.x for part in parts]),
            y=np.concatenate([part.y for part in parts]),
            targets=tuple(np.concatenate(results) for results in zip(*(part.targets for part in parts), strict=True)),
        )
        return every[np.argsort(every.time, kind="stable")]

    def _labelled(self, frame: FeatureFrame) -> Rows:
        _, walk = ewma_volatility.walk(ewma_volatility.initial(), frame)
        y = targets(frame, walk.sigma, self.horizons, np.inf)
        x, known = self._inputs(frame, walk)
        rows = known & ~np.isnan(y).all(axis=1)
        time = frame.time.astype(np.float64)
        ends = time + max(self.horizons) * interval_ms(frame.interval)
        return Rows(time=time, ends=ends, x=x, y=y, targets=self._targets(frame, walk))[rows]

    def seen(self, frame: FeatureFrame, walk: Walk) -> Inputs:
        """Return the inputs [n, F]."""
        x = scale_free(frame, self._columns, self.inputs, walk.sigma)
        return self.ordinary.seen(x, frame.time, walk.home, interval_ms(frame.interval)).astype(np.float32)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the trees' inputs."""
        return self.inputs

    def importance(self) -> Importance | None:
        """Return each input's share of the total gain of all boosters, None before the fit."""
        gains = [self._gain(booster) for boosters in self.boosters for booster in boosters]
        return Importance.of(GAIN, self.columns, np.sum(gains, axis=0)) if gains else None

    def structure(self) -> Structure:
        """Return the trees of each horizon, and of each target where there are several."""
        forests = [
            Forest(output=f"{part}, {horizon}".lstrip(", "), inputs=list(self.columns), trees=self._records(booster))
            for part, boosters in zip(self.parts, self.boosters, strict=bool(self.boosters))
            for horizon, booster in zip(ahead(self.horizons), boosters, strict=True)
        ]
        return Structure(forests=forests)

    def contributions(self, row: Row) -> Parts:
        """Return what each input added by exact SHAP values.

        Lundberg et al. 2020, "From local explanations to global understanding with explainable AI for trees".
        """
        x = self._row_inputs(row)
        result = self._shap_sum(x, row.column)
        shrink = float(self.shrinkage[row.column])
        return Parts(
            base=shrink * float(result[-1]),
            names=self.columns,
            values=x[0].tolist(),
            parts=(shrink * result[:-1]).tolist(),
            attention={},
        )

    def _row_inputs(self, row: Row) -> Inputs:
        """Return what the trees saw of one row: [1, F]."""
        return self.seen(row.frame, row.walk)

    def _shap_sum(self, x: Inputs, column: int) -> Floats:
        """Return the SHAP values of one row x [1, F] at a horizon's place, of all targets together: [F + 1]."""
        shap = (self._shap(boosters[column], x) for boosters in self.boosters)
        return sum(shap, np.zeros(x.shape[1] + 1))

    def _inputs(self, frame: FeatureFrame, walk: Walk) -> tuple[Inputs, Flags]:
        """Return the inputs [n, F], and which rows know their volatility and at least half of the inputs."""
        x = self.seen(frame, walk)
        return x, ~np.isnan(walk.sigma) & (np.isnan(x).mean(axis=1) <= 0.5)

    def _sum(self, x: Inputs) -> Floats:
        """Return the sum of the boosters' outputs, in units of sigma sqrt(h): [n, H]."""
        output = np.zeros((len(x), len(self.horizons)))
        for boosters in self.boosters:
            for column, booster in enumerate(boosters):
                output[:, column] += self._predict(booster, x)
        return output

    def initial(self) -> JSON:
        """Return the initial state of a symbol."""
        return ewma_volatility.initial()

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from its features and the volatility at its close."""
        if not self.boosters:
            raise ValueError(f"model {self.name!r} was not fitted; run foretick train")
        state, walk = ewma_volatility.walk(state, frame)
        x, known = self._inputs(frame, walk)
        unit = np.where(known, walk.sigma, np.nan)[:, None] * np.sqrt(self.horizons)
        return state, self._forecasts(x, unit)

    def _forecasts(self, x: Inputs, unit: Floats) -> Forecasts:
        """Return the forecasts for inputs [n, F], in units of sigma sqrt(h) [n, H], NaN if there is no forecast."""
        mean = self.shrinkage * self._sum(x)
        quantiles = (mean[:, :, None] + self.residual_quantiles) * unit[:, :, None]
        return Forecasts(mean * unit, unit, quantiles, prob_up(np.where(np.isnan(unit), np.nan, mean)))

    def texts(self) -> list[str]:
        """Return the boosters in their library's text format, by target, then by horizon."""
        return [self._text(booster) for boosters in self.boosters for booster in boosters]

    def _definition(self) -> JSON:
        return super()._definition() | {
            "half_life": ewma_volatility.RULE,
            "split": self.split,
            "shrink": self.shrinkage.tolist(),
            "spread": self.residual_quantiles.tolist(),
            "ordinary": self.ordinary.to_json(),
            "boosters_sha256": [artifact.sha256(text.encode()) for text in self.texts()],
            **search_space.noted(self.tuned),
        }

    def save(self, folder: Path) -> None:
        """Write model.json, and each booster in its library's text format."""
        artifact.write(folder, self._definition())
        for number, text in enumerate(self.texts()):
            (folder / _file(number)).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the output of `save`. Raises ValueError with one line if it is not this model's, or was changed."""
        definition = artifact.read(folder, cls.name)
        model = cls(tuple(definition["names"]), tuple(definition["horizons"]), search_space.of(definition))
        model.fingerprint = definition["fingerprint"]
        model.split = definition["split"]
        model.shrinkage, model.residual_quantiles = np.array(definition["shrink"]), np.array(definition["spread"])
        if "ordinary" in definition:  # an older artifact has another version, and is refused
            model.ordinary = InputRange.from_json(definition["ordinary"])
        expected = definition["boosters_sha256"]
        loaded = [model._booster(artifact.read_text(folder / _file(k), sha)) for k, sha in enumerate(expected)]
        step = len(model.horizons)
        model.boosters = [loaded[first : first + step] for first in range(0, len(loaded), step)]
        return model


def _file(number: int) -> str:
    return f"booster-{number}.txt"

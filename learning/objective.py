"""What a trial is worth: a model of its parameters fitted on purged folds of the past, and judged on the days after.

The measure is the daily skill: 1 - (the model's pinball loss) / (the naive model's), of the calibrated quantiles that
the stream would publish, averaged over the horizons. It is what the stream scores and what challengers win by, and it
judges models of the mean and of the scale alike: the correlation that the pilots chose by knows no scale, and is
unknown for a model that forecasts no drift. As there, a trial is worth the mean less half a standard error over days:
of many noisy trials the luckiest would otherwise win. Labels overlap by an hour at most, so days are all but apart.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from evaluation import intervals, walk
from evaluation.folds import DAY, EMBARGO, Fold, between
from evaluation.groups import Groups
from evaluation.labels import Labels
from evaluation.truth import labels_of
from features.frame import BarFrame, FeatureFrame, Floats
from models import provenance, training
from models.forecaster import Forecaster
from models.naive import Naive
from models.parameters import made, space_of
from models.space import Parameters
from topics.records import HORIZONS

WEEK = 7 * DAY
LONG = 10 * WEEK
"""A training of at least this span leaves out a week before its test, as is due where something is chosen by it."""
CAUTION = 0.5
"""Standard errors that a trial's mean is lowered by."""
FEWEST_DAYS = 4
"""Days that an average needs to have a standard error."""


class Plan(NamedTuple):
    """How the past is cut: `folds` tests in the second half of what is not `held_out`, fitted on one row of `thin`."""

    folds: int = 2
    held_out: float = 0.2
    thin: int = 4
    seed: int = 0


class Worth(NamedTuple):
    """A mean over days and its standard error."""

    mean: float
    error: float

    @property
    def cautious(self) -> float:
        """Return what trials are ranked by."""
        return self.mean - CAUTION * self.error


def worth(daily: Sequence[float]) -> Worth:
    """Return the mean of the days and its standard error. Raises ValueError where there are fewer than two."""
    values = np.array(daily)
    if len(values) < 2:
        raise ValueError(f"{len(values)} days with labels to judge on: two are needed; give more history")
    return Worth(float(values.mean()), float(values.std(ddof=1)) / sqrt(len(values)))


def split(first: int, last: int, plan: Plan) -> tuple[list[Fold], Fold]:
    """Return the folds that trials are judged on and the one that none sees, of bars from `first` to `last` (epoch ms).

    Tests begin and end with UTC days, and each is trained on all that lies before it. Raises ValueError where a test
    would have too few days.
    """
    end = _midnight(first + (last - first) * (1 - plan.held_out))
    middle = (first + end) / 2
    cuts = [_midnight(middle + (end - middle) * fold / plan.folds) for fold in range(plan.folds + 1)]
    stop = (last + DAY) // DAY * DAY
    found = [Fold(f"fold {k + 1}", first, cuts[k], cuts[k + 1]) for k in range(plan.folds)]
    later = Fold("later", first, end, stop)
    if (end - cuts[0]) // DAY < max(FEWEST_DAYS, plan.folds) or min((fold.end - fold.cut) for fold in found) < DAY:
        raise ValueError(
            f"{(last - first) / DAY:.1f} days of bars leave {(end - cuts[0]) // DAY} to judge trials on: "
            f"at least {max(FEWEST_DAYS, plan.folds)} are needed; give more history"
        )
    return found, later


def _midnight(time: float) -> int:
    return round(time / DAY) * DAY


def embargo(fold: Fold) -> int:
    """Return how much before a test is left out of its training (epoch ms)."""
    return WEEK if fold.cut - fold.start >= LONG else EMBARGO


class Objective:
    """The trials of one model on the bars of all symbols; their features are defined by the first fold's training.

    Nothing from `unseen.cut` on is read, but by `later`. Raises ValueError where the bars are too few.
    """

    def __init__(
        self,
        model: type[Any],
        bars: Sequence[BarFrame],
        plan: Plan,
        universe: Mapping[str, float] = training.ALONE,
        timeframes: tuple[str, ...] = (),
        columns: tuple[str, ...] = (),
    ) -> None:
        self.model, self.plan, self.bars, self.universe = model, plan, bars, universe
        first, last = min(int(frame.time[0]) for frame in bars), max(int(frame.time[-1]) for frame in bars)
        self.folds, self.unseen = split(first, last, plan)
        begin = self.folds[0].cut - embargo(self.folds[0])
        self.definition = training.define(_until(bars, begin), timeframes, columns)

    @cached_property
    def identity(self) -> str:
        """Return a hash of all that a trial's worth depends on but its parameters."""
        about = (self.plan, self.folds, sorted(self.universe.items()), sorted(space_of(self.model).items()))
        data = provenance.data_sha256(_until(self.bars, self.unseen.cut))
        return hashlib.sha256(repr((about, data)).encode()).hexdigest()[:12]

    def daily(self, fold: int, parameters: Parameters) -> list[float]:
        """Return the skill of each day of a fold. Raises ValueError with one line where the model cannot be fitted."""
        return self._tests[fold].skill(self.fitted(self.folds[fold], self.frames, parameters, self.plan.thin))

    def later(self, parameters: Parameters) -> list[float]:
        """Return the skill of each day that no trial saw, trained on all rows before. Raises ValueError as `daily`."""
        return self._after.skill(self.fitted(self.unseen, self._all_frames, parameters, 1))

    def fitted(self, fold: Fold, frames: list[FeatureFrame], parameters: Parameters, thin: int) -> Forecaster:
        model: Forecaster = made(self.model, self.definition.names, parameters)
        if hasattr(model, "thin"):
            model.thin = thin
        model.fit(_training(fold, frames), self.plan.seed)
        return model

    @cached_property
    def frames(self) -> list[FeatureFrame]:
        return training.features(_until(self.bars, self.unseen.cut), self.definition, self.universe)

    @cached_property
    def _all_frames(self) -> list[FeatureFrame]:
        return training.features(self.bars, self.definition, self.universe)

    @cached_property
    def _tests(self) -> "list[_Test]":
        return [_Test(fold, self.frames) for fold in self.folds]

    @cached_property
    def _after(self) -> "_Test":
        return _Test(self.unseen, self._all_frames)


class _Test:
    """The days of a fold's test: what came true, and the naive model's losses there."""

    def __init__(self, fold: Fold, frames: list[FeatureFrame]) -> None:
        self.fold = fold
        self.walked = [fold.walked(frame, walk.WARM_UP) for frame in frames]
        self.labels: Labels = labels_of(frames, HORIZONS, fold.cut, fold.end)
        self.groups = Groups(self.labels)
        naive = Naive()
        naive.fit(_training(fold, frames), 0)
        self.naive = self._losses(naive)

    def skill(self, model: Forecaster) -> list[float]:
        """Return the skill of each day; where the model says nothing, it is taken to say what the naive one does."""
        own = self._losses(model)
        gains = np.array([self._by_day(base - loss) for loss, base in zip(own, self.naive, strict=True)])
        losses = np.array([self._by_day(base) for base in self.naive])
        days = (losses > 0).all(axis=0)
        return [float(value) for value in (gains[:, days] / losses[:, days]).mean(axis=0)]

    def _by_day(self, part: Floats) -> Floats:
        return self.groups.by_day(part)

    def _losses(self, model: Forecaster) -> list[Floats]:
        """Return the pinball losses [n] of each horizon, in units of the shared scale."""
        parts = [walk.forecast(model, frame).quantiles[frame.time >= self.fold.cut] for frame in self.walked]
        quantiles = np.concatenate(parts)
        return [
            intervals.parts(quantiles[:, place], self.labels.realised[:, place], self.labels.unit[:, place])["pinball"]
            for place in range(len(HORIZONS))
        ]


def _training(fold: Fold, frames: list[FeatureFrame]) -> list[FeatureFrame]:
    return [between(frame, fold.start, fold.cut - embargo(fold)) for frame in frames]


def _until(bars: Sequence[BarFrame], end: int) -> list[BarFrame]:
    """Return the bars before `end` (epoch ms), of the symbols that have any."""
    cut = [frame[frame.time < end] for frame in bars]
    return [frame for frame in cut if len(frame)]

"""A trial's objective: a model with its parameters is fitted on purged splits of the past, and scored on the days
after.

The measure is the daily skill: 1 - (the model's pinball loss) / (the naive model's), of the calibrated quantiles that
the stream would publish, averaged over the horizons. It is the score of the stream and of the challenger's test, and
applies to models of the mean and of the scale alike: a correlation ignores the scale, and is undefined for a model
without a drift. The objective is the mean less half a standard error over days: otherwise the luckiest of many noisy
trials would win. Labels overlap by an hour at most, so days are nearly independent.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from evaluation import intervals, walk_forward
from evaluation.groups import Groups
from evaluation.label_columns import labels_of
from evaluation.labels import Labels
from evaluation.splits import DAY, EMBARGO, Split, between
from features.frame import BarFrame, FeatureFrame, Floats
from models import training
from models.baselines.naive import Naive
from models.forecaster import Forecaster
from models.registry import provenance
from models.search_space import Parameters
from topics.records import HORIZONS

WEEK = 7 * DAY
LONG = 10 * WEEK
"""A training of at least this span leaves out a week before its test, since parameters are selected by it."""
FEWEST_DAYS = 4
"""The least number of days for a standard error."""


class Plan(NamedTuple):
    """The splits of the past: `splits` tests in the second half of what is not `held_out`, fitted on one row of
    `thin`."""

    folds: int = 2
    held_out: float = 0.2
    thin: int = 4
    seed: int = 0


def plan_splits(first: int, last: int, plan: Plan) -> tuple[list[Split], Split]:
    """Return the splits on which trials are scored and the one that none uses, of bars from `first` to `last` (epoch
    ms).

    Tests begin and end with UTC days, and each is trained on all data before it. Raises ValueError if a test would have
    too few days.
    """
    end = _midnight(first + (last - first) * (1 - plan.held_out))
    middle = (first + end) / 2
    cuts = [_midnight(middle + (end - middle) * split / plan.folds) for split in range(plan.folds + 1)]
    stop = (last + DAY) // DAY * DAY
    splits = [Split(f"fold {k + 1}", first, cuts[k], cuts[k + 1]) for k in range(plan.folds)]
    later = Split("later", first, end, stop)
    if (end - cuts[0]) // DAY < max(FEWEST_DAYS, plan.folds) or min((split.end - split.cut) for split in splits) < DAY:
        raise ValueError(
            f"{(last - first) / DAY:.1f} days of bars leave {(end - cuts[0]) // DAY} to score trials on: "
            f"at least {max(FEWEST_DAYS, plan.folds)} are needed; give more history"
        )
    return splits, later


def _midnight(time: float) -> int:
    return round(time / DAY) * DAY


def embargo(split: Split) -> int:
    """Return the embargo before a test (ms)."""
    return WEEK if split.cut - split.start >= LONG else EMBARGO


class Objective:
    """The trials of one model on the bars of all symbols; their features are defined by the first split's training.

    Nothing from `unseen.cut` on is read, except by `later`. Raises ValueError if there are too few bars.
    """

    def __init__(
        self,
        model: type[Forecaster],
        bars: Sequence[BarFrame],
        plan: Plan,
        universe: Mapping[str, float] = training.ALONE,
        timeframes: tuple[str, ...] = (),
        columns: tuple[str, ...] = (),
    ) -> None:
        self.model, self.plan, self.bars, self.universe = model, plan, bars, universe
        first, last = min(int(frame.time[0]) for frame in bars), max(int(frame.time[-1]) for frame in bars)
        self.splits, self.unseen = plan_splits(first, last, plan)
        begin = self.splits[0].cut - embargo(self.splits[0])
        self.definition = training.define(_until(bars, begin), timeframes, columns)

    @cached_property
    def identity(self) -> str:
        """Return a hash of all that a trial's worth depends on but its parameters."""
        about = (self.plan, self.splits, sorted(self.universe.items()), sorted(self.model.SPACE.items()))
        data = provenance.data_sha256(_until(self.bars, self.unseen.cut))
        return hashlib.sha256(repr((about, data)).encode()).hexdigest()[:12]

    def daily(self, split: int, parameters: Parameters) -> list[float]:
        """Return the skill of each day of a split. Raises ValueError with one line if the model cannot be fitted."""
        return self._tests[split].skill(self.fitted(self.splits[split], self.frames, parameters, self.plan.thin))

    def later(self, parameters: Parameters) -> list[float]:
        """Return the skill of each day that no trial used, trained on all rows before. Raises ValueError as `daily`."""
        return self._after.skill(self.fitted(self.unseen, self._all_frames, parameters, 1))

    def fitted(self, split: Split, frames: list[FeatureFrame], parameters: Parameters, thin: int) -> Forecaster:
        model = self.model(self.definition.names, parameters=parameters)
        model.thin = thin
        model.fit(_training(split, frames), self.plan.seed)
        return model

    @cached_property
    def frames(self) -> list[FeatureFrame]:
        return training.features(_until(self.bars, self.unseen.cut), self.definition, self.universe)

    @cached_property
    def _all_frames(self) -> list[FeatureFrame]:
        return training.features(self.bars, self.definition, self.universe)

    @cached_property
    def _tests(self) -> "list[_Test]":
        return [_Test(split, self.frames) for split in self.splits]

    @cached_property
    def _after(self) -> "_Test":
        return _Test(self.unseen, self._all_frames)


def skill_by_day(saved: Floats, naive: Floats) -> list[float]:
    """Return the skill of each day: the mean over horizons of the loss saved over the naive model's, both [H, D].

    A day with a naive loss of 0 at some horizon is left out.
    """
    days = (naive > 0).all(axis=0)
    return [float(value) for value in (saved[:, days] / naive[:, days]).mean(axis=0)]


class _Test:
    """The days of a split's test: the outcomes, and the naive model's losses."""

    def __init__(self, split: Split, frames: list[FeatureFrame]) -> None:
        self.split = split
        self.walked = [split.walked(frame, walk_forward.WARM_UP) for frame in frames]
        self.labels: Labels = labels_of(frames, HORIZONS, split.cut, split.end)
        self.groups = Groups(self.labels)
        naive = Naive()
        naive.fit(_training(split, frames), 0)
        self.naive = self._losses(naive)

    def skill(self, model: Forecaster) -> list[float]:
        """Return the skill of each day; rows without a forecast of the model count as the naive one's."""
        own = self._losses(model)
        gains = np.array([self._by_day(base - loss) for loss, base in zip(own, self.naive, strict=True)])
        losses = np.array([self._by_day(base) for base in self.naive])
        return skill_by_day(gains, losses)

    def _by_day(self, part: Floats) -> Floats:
        return self.groups.by_day(part)

    def _losses(self, model: Forecaster) -> list[Floats]:
        """Return the pinball losses [n] of each horizon, in units of the shared scale."""
        parts = [walk_forward.forecast(model, frame).quantiles[frame.time >= self.split.cut] for frame in self.walked]
        quantiles = np.concatenate(parts)
        return [
            intervals.parts(quantiles[:, place], self.labels.realised[:, place], self.labels.unit[:, place])["pinball"]
            for place in range(len(HORIZONS))
        ]


def _training(split: Split, frames: list[FeatureFrame]) -> list[FeatureFrame]:
    return [between(frame, split.start, split.cut - embargo(split)) for frame in frames]


def _until(bars: Sequence[BarFrame], end: int) -> list[BarFrame]:
    """Return the bars before `end` (epoch ms), of the symbols that have any."""
    cut = [frame[frame.time < end] for frame in bars]
    return [frame for frame in cut if len(frame)]

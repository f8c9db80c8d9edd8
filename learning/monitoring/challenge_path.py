"""The way of a challenger's test: the evidence and the cumulative gain after every step of bars."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from features.frame import Floats, Ints
from learning.monitoring.e_test import ChampionChallengerTest
from learning.monitoring.scored_forecasts import Scored, Version, against
from models.scoring import confidence_sequence


class PathPoint(NamedTuple):
    """The state after the bar at `time` (epoch ms).

    `e_value` is the evidence for the challenger, of the weighted mean of the gains; `against` is that for the champion.
    `gain` is by horizon the sum of the gains so far; with the probability 1 - alpha the sum of the expected ones is
    between `low` and `high` at all bars.
    """

    time: int
    e_value: float
    against: float
    gain: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(kw_only=True)
class ChallengePath:
    """The fold of a challenger's gains; a point is kept every `every` ms, and the newest one.

    The test is the monitor's own; the intervals are those of `models.scoring.confidence_sequence` at its alpha.
    """

    test: ChampionChallengerTest
    every: int
    points: list[PathPoint] = field(default_factory=list)
    _sums: list[Floats] = field(init=False)

    def __post_init__(self) -> None:
        self._sums = [confidence_sequence.initial(horizon) for horizon in self.test.horizons]

    def update(self, time: Ints, gain: Floats) -> None:
        """Add the gains [n, H] realised at the bars at `time` [n], in order, NaN if there was none."""
        ends = np.append(np.flatnonzero(np.diff(time // self.every)), len(time) - 1) if len(time) else ()
        begin = 0
        for end in ends:
            self._add(time[begin : end + 1], gain[begin : end + 1])
            begin = int(end) + 1

    def _add(self, time: Ints, gain: Floats) -> None:
        """Add the bars of one step: the point is that after the last of them."""
        self.test.update(time, gain)
        bounds = []
        for column, horizon in enumerate(self.test.horizons):
            place = time // self.test.span % horizon
            self._sums[column], rows = confidence_sequence.step(
                self._sums[column], place, gain[:, column], self.test.alpha
            )
            bounds.append(rows[:, -1].tolist())
        for_it, against_it = self.test.evidence.tolist()
        total, low, high = (tuple(side) for side in zip(*bounds, strict=True))
        if self.points and self.points[-1].time // self.every == int(time[-1]) // self.every:
            self.points.pop()
        self.points.append(PathPoint(int(time[-1]), for_it, against_it, total, low, high))


def gains(scored: Scored, model: str, champion: str, challenger: str, horizons: tuple[int, ...]) -> tuple[Ints, Floats]:
    """Return the bars [m] and the challenger's gains over the champion there [m, H], of forecasts in these roles."""
    ours, theirs = (
        scored.where((scored.version == _number(scored, model, version)) & (scored.role == role))
        for version, role in ((champion, b"c"), (challenger, b"h"))
    )
    return against(ours, theirs, horizons)


def _number(scored: Scored, model: str, version: str) -> int:
    name = Version(model, version)
    return scored.versions.index(name) if name in scored.versions else -1

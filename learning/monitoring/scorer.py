"""Computes skills, changes of the champions, and the challengers' tests."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from features.frame import Floats, Ints
from learning.monitoring.change import Change
from learning.monitoring.drift_monitor import DriftMonitor
from learning.monitoring.e_test import ChampionChallengerTest
from learning.monitoring.scored_forecasts import Scored, Version, against, per_bar
from learning.monitoring.skill import RollingSkill, SkillRow
from models.drift.reference import Reference
from models.registry.provenance import Provenance
from models.skill import NAIVE
from settings import Settings
from topics.records import Drift

Origin = tuple[Provenance | None, Reference | None]


class Pair(NamedTuple):
    """A champion and its challenger, by their versions."""

    model: str
    champion: str
    challenger: str


class Scorer:
    """The folds over the bars of one interval, in order, independent of how they are cut into calls. `origin` returns a
    version's provenance and reference, None if unknown.
    """

    def __init__(
        self, settings: Settings, horizons: tuple[int, ...], span: int, origin: Callable[[Version], Origin]
    ) -> None:
        self._settings, self._horizons, self._span, self._origin = settings, horizons, span, origin
        self._skill = RollingSkill(span)
        self._health: dict[Version, DriftMonitor] = {}
        self.challenges: dict[Pair, ChampionChallengerTest] = {}

    def scored(self, scored: Scored) -> tuple[list[Drift], list[SkillRow]]:
        """Add the outcomes whose labels matured at the next bars; return the changes, and the skills of hours."""
        drifts: list[Drift] = []
        champions = scored.where(scored.role == b"c")
        for number, whose in _watched(champions.version, scored.versions):
            rows = champions.where(champions.version == number)
            bars, hits = per_bar(rows, rows.hit, self._horizons)
            reporter, gains = per_bar(rows, rows.gain, self._horizons)
            gain = np.full(hits.shape, np.nan)
            gain[np.searchsorted(bars, reporter)] = gains
            drifts += self._drifts(whose, self._of(whose).scored(bars, gain, hits))
        self._try(scored, champions)
        return _in_order(drifts), self._skill.update(scored)

    def predicted(self, time: Ints, version: Ints, value: Floats, versions: list[Version]) -> list[Drift]:
        """Add the dissimilarities [n] of the champions' forecasts at the next bars, of the versions by number."""
        drifts: list[Drift] = []
        for number, whose in _watched(version, versions):
            rows = version == number
            bars, place = np.unique(time[rows], return_inverse=True)
            unlike = np.where(np.isnan(value[rows]), 0.0, value[rows] > 1)
            known = np.bincount(place, ~np.isnan(value[rows]))
            with np.errstate(invalid="ignore"):
                share = np.bincount(place, unlike) / known
            drifts += self._drifts(whose, self._of(whose).predicted(bars, share))
        return _in_order(drifts)

    def compared(self, version: Ints, versions: list[Version]) -> dict[int, Reference]:
        """Return the references for the features at the bars of these champions' forecasts, by number."""
        references = {number: self._reference(whose) for number, whose in _watched(version, versions)}
        return {number: reference for number, reference in references.items() if reference is not None}

    def computed(self, whose: Version, time: Ints, values: Floats) -> list[Drift]:
        """Add the features [n, F] of all symbols at the bars of a champion's next forecasts."""
        return self._drifts(whose, self._of(whose).computed(time, values))

    def _of(self, whose: Version) -> DriftMonitor:
        if whose not in self._health:
            provenance, reference = self._origin(whose)
            expiry = self._settings.model_expiry_days
            self._health[whose] = DriftMonitor(self._horizons, self._span, provenance, reference, expiry)
        return self._health[whose]

    def _reference(self, whose: Version) -> Reference | None:
        return self._origin(whose)[1]

    def _try(self, scored: Scored, champions: Scored) -> None:
        challengers = scored.where(scored.role == b"h")
        for of, challenger in _watched(challengers.version, scored.versions):
            for by, champion in _watched(champions.version, scored.versions):
                if champion.model != challenger.model:
                    continue
                bars, gain = against(
                    champions.where(champions.version == by),
                    challengers.where(challengers.version == of),
                    self._horizons,
                )
                pair = Pair(champion.model, champion.version, challenger.version)
                if pair not in self.challenges and len(bars):
                    self.challenges[pair] = ChampionChallengerTest.of(self._settings, self._horizons, self._span)
                if len(bars):
                    self.challenges[pair].update(bars, gain)

    def _drifts(self, whose: Version, changes: Iterable[Change]) -> list[Drift]:
        return [
            Drift(
                model=whose.model,
                version=whose.version,
                kind=change.kind,
                detector=change.detector,
                time=change.time,
                statistic=change.statistic,
                limit=change.limit,
                interval=self._settings.interval,
                horizon=change.horizon,
                since=change.since,
                detail=change.detail,
            )
            for change in changes
        ]


def _watched(numbers: Ints, versions: list[Version]) -> list[tuple[int, Version]]:
    """Return the versions with these numbers. The naive model is the baseline, and is not monitored."""
    results = [(number, versions[number]) for number in np.unique(numbers).tolist()]
    return [(number, whose) for number, whose in results if whose.model != NAIVE]


def _in_order(drifts: list[Drift]) -> list[Drift]:
    return sorted(drifts, key=lambda drift: drift.time)

"""What the watch makes of the rows: skills, changes of the champions, and the trials of the challengers."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from features.frame import Floats, Ints
from learning.change import Change
from learning.health import Health
from learning.scored import NAIVE, Scored, Version, against, per_bar
from learning.sequential import Trial
from learning.skill import RollingSkill, Skill
from models.provenance import Provenance
from models.reference import Reference
from settings import Settings
from topics.records import Drift

Origin = tuple[Provenance | None, Reference | None]


class Pair(NamedTuple):
    """A champion and its challenger, by their versions."""

    model: str
    champion: str
    challenger: str


class Judge:
    """The folds over the bars of one interval, in their order: how they were cut into calls changes nothing.

    `origin` tells where a version comes from and what it was trained on, None where that is unknown.
    """

    def __init__(
        self, settings: Settings, horizons: tuple[int, ...], span: int, origin: Callable[[Version], Origin]
    ) -> None:
        self._settings, self._horizons, self._span, self._origin = settings, horizons, span, origin
        self._skill = RollingSkill(span)
        self._health: dict[Version, Health] = {}
        self.trials: dict[Pair, Trial] = {}

    def scored(self, scored: Scored) -> tuple[list[Drift], list[Skill]]:
        """Take the outcomes whose labels came at the next bars; return what changed, and the skills of hours."""
        drifts: list[Drift] = []
        champions = scored.where(scored.role == b"c")
        for number, whose in _watched(champions.version, scored.versions):
            rows = champions.where(champions.version == number)
            bars, hits = per_bar(rows, rows.hit, self._horizons)
            told, gains = per_bar(rows, rows.gain, self._horizons)
            gain = np.full(hits.shape, np.nan)
            gain[np.searchsorted(bars, told)] = gains
            drifts += self._drifts(whose, self._of(whose).scored(bars, gain, hits))
        self._try(scored, champions)
        return _in_order(drifts), self._skill.update(scored)

    def predicted(self, time: Ints, version: Ints, value: Floats, versions: list[Version]) -> list[Drift]:
        """Take the dissimilarities [n] of the champions' forecasts at the next bars, of the versions by number."""
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
        """Return what the features at the bars of these champions' forecasts are to be compared with, by number."""
        references = {number: self._reference(whose) for number, whose in _watched(version, versions)}
        return {number: reference for number, reference in references.items() if reference is not None}

    def computed(self, whose: Version, time: Ints, values: Floats) -> list[Drift]:
        """Take the features [n, F] of all symbols at the bars of a champion's next forecasts."""
        return self._drifts(whose, self._of(whose).computed(time, values))

    def _of(self, whose: Version) -> Health:
        if whose not in self._health:
            provenance, reference = self._origin(whose)
            expiry = self._settings.model_expiry_days
            self._health[whose] = Health(self._horizons, self._span, provenance, reference, expiry)
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
                if pair not in self.trials and len(bars):
                    least, alpha = self._settings.promote_bars, self._settings.promote_alpha
                    self.trials[pair] = Trial(self._horizons, self._span, alpha, least)
                if len(bars):
                    self.trials[pair].update(bars, gain)

    def _drifts(self, whose: Version, changes: Iterable[Change]) -> list[Drift]:
        return [
            Drift(
                *whose,
                change.kind,
                change.detector,
                change.time,
                change.statistic,
                change.limit,
                self._settings.interval,
                horizon=change.horizon,
                since=change.since,
                detail=change.detail,
            )
            for change in changes
        ]


def _watched(numbers: Ints, versions: list[Version]) -> list[tuple[int, Version]]:
    """Return the versions with these numbers. The naive model's are what others are measured by: none watches them."""
    found = [(number, versions[number]) for number in np.unique(numbers).tolist()]
    return [(number, whose) for number, whose in found if whose.model != NAIVE]


def _in_order(drifts: list[Drift]) -> list[Drift]:
    return sorted(drifts, key=lambda drift: drift.time)

"""Reads the decisions about a model, and follows the tests of its challengers as the monitor does."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import Connection

from learning.deployment.ledger import Ledger, LedgerError
from learning.monitoring.challenge_path import ChallengePath, PathPoint, gains
from learning.monitoring.e_test import ChampionChallengerTest
from learning.monitoring.reader import Stored
from learning.monitoring.scored_forecasts import Version
from learning.monitoring.scorer import Pair
from learning.monitoring.skill import DAY_MS, DAYS, HOUR_MS
from learning.monitoring.watermark import Watermark
from learning.watch import STEP_BARS
from settings import Settings
from topics.records import HORIZONS, Deployment

PERIOD_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """The test of one pair so far: `evidence` is `ChampionChallengerTest.summary`, `outcome` None while undecided.

    `alpha` is the monitor's; with `least` bars or more and an evidence of 1 / alpha that the weighted mean of the gains
    is above the margin, a challenger is promoted.
    """

    pair: Pair
    points: tuple[PathPoint, ...]
    evidence: Mapping[str, float]
    outcome: str | None
    alpha: float
    least: int


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """The decisions about a model, the newest last, and the tests of its challengers.

    `promotes` is whether the monitor promotes a winner by itself.
    """

    model: str
    log: tuple[Deployment, ...]
    challenges: tuple[Challenge, ...]
    promotes: bool

    @property
    def newest(self) -> Deployment | None:
        """Return the decision in force, None if there was none."""
        return self.log[-1] if self.log else None


@dataclass
class _Followed:
    """A test that is followed, and the bar up to which it was."""

    path: ChallengePath
    watermark: Watermark


class DecisionsSource:
    """The log and the outcomes behind one connection."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._settings = settings
        self._ledger = Ledger(settings)
        self._stored = Stored(connection, settings.interval, HORIZONS)
        self._followed: dict[Pair, _Followed] = {}
        self._made: dict[str, Decisions] = {}

    def read(self, model: str) -> Decisions:
        """Return what is known of a model; of a database that was not set up yet, nothing."""
        try:
            log = tuple(self._ledger.history(model))
            pairs = self._pairs(log)
            # What is not tested any more is forgotten: another page may look at another model.
            stale = {pair for pair in self._followed if pair.model == model} - set(pairs)
            self._followed = {pair: one for pair, one in self._followed.items() if pair not in stale}
            newest = self._stored.newest() if pairs else {}
            challenges = tuple(self._challenge(pair, newest) for pair in pairs)
        except (LedgerError, psycopg.errors.UndefinedTable) as error:
            if isinstance(error, LedgerError) and "no log of deployments" not in str(error):
                raise
            log, challenges = (), ()
        made = Decisions(model=model, log=log, challenges=challenges, promotes=self._settings.promote)
        # What has not changed is the same object: a page then compares and sends nothing.
        if self._made.get(model) != made:
            self._made[model] = made
        return self._made[model]

    def _pairs(self, log: tuple[Deployment, ...]) -> list[Pair]:
        now = log[-1] if log else None
        if now is None or now.champion is None:
            return []
        return [Pair(now.model, now.champion, challenger) for challenger in now.challengers]

    def _challenge(self, pair: Pair, newest: Mapping[str, int]) -> Challenge:
        followed = self._followed.get(pair)
        if followed is None:
            days = max(self._settings.challenger_days, *DAYS) + 1
            begin = max(0, max(newest.values(), default=0) - round(days * DAY_MS))
            test = ChampionChallengerTest.of(self._settings, HORIZONS, self._stored.span)
            followed = _Followed(ChallengePath(test=test, every=HOUR_MS), Watermark(begin))
            if newest:  # without a bar it is not known where to begin
                self._followed[pair] = followed
        if newest:
            self._follow(pair, followed, newest)
        test = followed.path.test
        return Challenge(
            pair=pair,
            points=tuple(followed.path.points),
            evidence=test.summary(),
            outcome=None if test.result is None else test.result.outcome,
            alpha=test.alpha,
            least=test.least,
        )

    def _follow(self, pair: Pair, followed: _Followed, newest: Mapping[str, int]) -> None:
        """Add the bars that have become complete."""
        watermark = followed.watermark
        until = watermark.advance(newest, time.monotonic())
        versions = [Version(pair.model, version) for version in (pair.champion, pair.challenger)]
        while watermark.read < until:
            end = min(until, watermark.read + STEP_BARS * self._stored.span)
            scored = self._stored.scored(watermark.read, end, versions)
            followed.path.update(*gains(scored, *pair, HORIZONS))
            watermark.read = end

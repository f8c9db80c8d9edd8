"""The watch: `python -m learning.watch` scores, looks for change, and decides. One at a time, whoever starts more.

It keeps no state of its own: at a start it reads the last days again, and finds what it found before. So whatever goes
wrong ends it, and its next start mends it.
"""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
import psycopg
from aiokafka.errors import KafkaError
from psycopg import Connection

from features.frame import Ints
from learning import alarms
from learning.decisions import DAY_MS, due
from learning.errors import TrackingError
from learning.frontier import Frontier
from learning.judge import Judge, Origin
from learning.ledger import Ledger, LedgerError
from learning.scored import Version
from learning.skill import DAYS, Skill
from learning.stored import Stored, moment
from learning.tracking import Tracker
from models import registry
from models.reference import Reference
from settings import Settings
from storage import locks
from storage.errors import place, reason
from storage.locks import Lock
from stream import logs
from stream.probe import Probe
from stream.standing import Standing
from topics.records import HORIZONS, Deployment, Drift, ModelEvent

log = logging.getLogger("foretick")

POLL_S = 1.0
STEP_BARS = 1_440
"""Bars that are read at once."""
REFUSED = """
SELECT model, version, event, fingerprint, number, reason FROM model_events
WHERE event = 'refused' AND (model, number) IN (SELECT model, max(number) FROM model_deployments GROUP BY model)
ORDER BY time
"""
DECISIONS = "SELECT count(*) FROM model_deployments"
SKILL = """
INSERT INTO model_skill (time, interval, model, version, role, horizon, regime, days, forecasts, skill, error_skill,
    coverage)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (interval, model, version, horizon, regime, days, time) DO UPDATE SET (role, forecasts, skill, error_skill,
    coverage) = (excluded.role, excluded.forecasts, excluded.skill, excluded.error_skill, excluded.coverage)
"""
SKILL_KNOWN = "SELECT max(time) FROM model_skill WHERE interval = %s"


class Watch:
    """Reads what was stored since it looked last, and does what follows. `look` is one round."""

    def __init__(self, settings: Settings, connection: Connection, standing: Standing | None = None) -> None:
        self._settings, self._connection = settings, connection
        self._standing = standing or Standing(settings)
        self._ledger = Ledger(settings)
        self._stored = Stored(connection, settings.interval, HORIZONS)
        self._judge = Judge(settings, HORIZONS, self._stored.span, lru_cache(maxsize=None)(self._origin))
        self._frontier: Frontier | None = None
        self._skill_until = -1
        self._failed: set[tuple[object, ...]] = set()
        self._decisions = 0
        self._latest: dict[str, Deployment] = {}
        self._aligned: dict[str, int] = {}

    def look(self) -> int:
        """Take in the bars that are complete, then decide; return how many steps of bars there were."""
        newest = self._stored.newest()
        steps = 0
        if newest:
            self._frontier = self._frontier or self._begin(max(newest.values()))
            until = self._frontier.reach(newest, time.monotonic())
            while self._frontier.read < until:
                self._take(self._frontier.read, min(until, self._frontier.read + STEP_BARS * self._stored.span))
                steps += 1
        latest = self._deployments()
        self._decide(latest)
        self._align(latest)
        return steps

    def seen(self) -> str:
        """Return in words up to where it has looked."""
        if self._frontier is None:
            return f"there are no {self._settings.interval} bars yet"
        return f"has looked up to {moment(self._frontier.read).isoformat(' ', 'minutes')}"

    def _begin(self, newest: int) -> Frontier:
        days = max(self._settings.challenger_days, *DAYS) + 1
        found = self._connection.execute(SKILL_KNOWN, (self._settings.interval,)).fetchone()
        if found and found[0]:
            self._skill_until = round(found[0].timestamp() * 1000)
        start = max(0, newest - round(days * DAY_MS))
        log.info("watching %s from %s on", self._settings.interval, moment(start).isoformat(" ", "minutes"))
        return Frontier(start)

    def _take(self, after: int, until: int) -> None:
        """Take in the bars in (after, until]."""
        self._standing.does(f"reads the bars up to {moment(until).isoformat(' ', 'minutes')}")
        assert self._frontier is not None  # noqa: S101 - for mypy: `look` has set it
        stored, judge = self._stored, self._judge
        stored.learn_regimes(after - max(HORIZONS) * stored.span, until)
        drifts, skills = judge.scored(stored.scored(after, until))
        times, whose, value = stored.dissimilarity(after, until)
        drifts += judge.predicted(times, whose, value, stored.versions)
        drifts += self._compared(after, until, times, whose)
        self._store_skill(skills)
        for drift in alarms.new(self._connection, drifts):
            alarms.publish(self._settings.broker, [drift])
            log.info("drift of %s %s: %s (%s)", drift.model, drift.version, drift.detail, drift.kind)
        self._frontier.read = until

    def _compared(self, after: int, until: int, times: Ints, whose: Ints) -> list[Drift]:
        """Return how the features at the champions' bars in (after, until] have changed."""
        stored, drifts = self._stored, []
        references = self._judge.compared(whose, stored.versions)
        for fingerprint in sorted({reference.fingerprint for reference in references.values()}):
            time, values = stored.features(after, until, fingerprint)
            for number, reference in references.items():
                if reference.fingerprint == fingerprint:
                    rows = np.isin(time, times[whose == number])
                    drifts += self._judge.computed(stored.versions[number], time[rows], values[rows])
        return drifts

    def _store_skill(self, skills: list[Skill]) -> None:
        # What was stored before is not made anew: at a start the days before the first bar that is read are missing.
        new = [skill for skill in skills if skill.time > self._skill_until]
        with self._connection.cursor() as cursor:
            cursor.executemany(SKILL, [(moment(one.time), self._settings.interval, *one[1:]) for one in new])

    def _deployments(self) -> dict[str, Deployment]:
        """Return the newest decision about each model."""
        found = self._connection.execute(DECISIONS).fetchone()
        if found is not None and found[0] != self._decisions:
            self._latest, self._decisions = self._ledger.latest(), found[0]
        return dict(self._latest)

    def _decide(self, latest: dict[str, Deployment]) -> None:
        fingerprint = self._ledger.fingerprint
        serving = [one for one in latest.values() if one.fingerprint == fingerprint]
        newest = self._frontier.read if self._frontier else 0
        for decision in due(serving, self._refused(), self._judge.trials, newest, self._settings):
            model, number, action, version, decided_by, why, evidence = decision
            if (model, number, action, version) in self._failed:
                continue
            try:
                made = self._ledger.decide(model, action, version, decided_by=decided_by, why=why, evidence=evidence)
            except LedgerError as error:
                if self._ledger.latest()[model].number != number:
                    raise  # it is written down, and the workers do not know: the next start tells them
                self._failed.add((model, number, action, version))
                log.warning("%s of %s not decided: %s", action, model, error)
                continue
            latest[model] = made
            log.info("deployment %d of %s: %s %s, %s", made.number, model, action, version or made.champion, why)

    def _refused(self) -> Iterator[ModelEvent]:
        for model, version, event, fingerprint, number, why in self._connection.execute(REFUSED).fetchall():
            yield ModelEvent(model, version, event, fingerprint, 0, number, reason=why)

    def _origin(self, whose: Version) -> Origin:
        """Return where a version comes from; what cannot be read is said, and not compared with."""
        folder = self._settings.home / "models"
        try:
            provenance = registry.provenance(folder, *whose)
            if provenance is None or provenance.reference is None:
                return provenance, None
            return provenance, Reference.load(folder, provenance.reference)
        except ValueError as error:
            log.warning("%s %s is not compared with its training data: %s", *whose, error)
            return None, None

    def _align(self, latest: dict[str, Deployment]) -> None:
        """Let MLflow's aliases stand where the deployments say, where a server answers."""
        numbers = {model: one.number for model, one in latest.items()}
        tracker = Tracker(self._settings.mlflow_uri.get_secret_value())
        if numbers == self._aligned or not tracker.reachable():
            return
        try:
            tracker.align(latest, self._settings.home / "models")
        except TrackingError as error:
            log.warning("the aliases stay as they are: %s", error)
        self._aligned = numbers


@contextmanager
def alone(url: str, standing: Standing | None = None) -> Iterator[Connection]:
    """Connect, and wait until no other watch is there."""
    standing = standing or Standing()
    with psycopg.connect(locks.kept(url), autocommit=True) as connection:
        told = False
        while not locks.taken(connection, Lock.WATCH):
            if not told:
                log.info("another watch is there: this one waits for its end")
            told = True
            standing.wait("another watch works; this one stands by until it ends")
            time.sleep(POLL_S)
        standing.wait(None)
        yield connection


def main(standing: Standing) -> None:
    """Watch until stopped. Ends with one line where a server is lost: the next start goes on."""
    settings = Settings()
    url = settings.database_url.get_secret_value()
    try:
        with alone(url, standing) as connection:
            standing.does("publishes what is deployed")
            Ledger(settings).publish_latest()
            watch = Watch(settings, connection, standing)
            while True:
                watch.look()
                standing.did(watch.seen())
                time.sleep(POLL_S)
    except psycopg.Error as error:
        sys.exit(f"the watch ends: {place(url)} does not answer ({reason(error)})")
    except KafkaError as error:
        sys.exit(f"the watch ends: Kafka at {settings.broker} does not answer ({reason(error)})")
    except LedgerError as error:
        sys.exit(f"the watch ends: {error}")


if __name__ == "__main__":
    configured = Settings()
    logs.configure("watch", configured)
    own = Standing(configured)
    own.wait("the database")
    Probe("watch", own.condition).start(configured)
    main(own)

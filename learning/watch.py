"""The model monitor: `python -m learning.watch` scores, detects changes, and decides. Only one works at a time.

It has no state of its own: at a start it reads the last days again, with the same results. So any error ends it, and a
restart recovers.
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
from learning.deployment.decisions import DAY_MS, due
from learning.deployment.ledger import Ledger, LedgerError
from learning.errors import TrackingError
from learning.monitoring import alarms
from learning.monitoring.reader import Stored, moment
from learning.monitoring.scored_forecasts import Version
from learning.monitoring.scorer import Origin, Scorer
from learning.monitoring.skill import DAYS, SkillRow
from learning.monitoring.watermark import Watermark
from learning.tracking.log_stream import StreamLog
from learning.tracking.tracker import Tracker
from models.drift.reference import Reference
from models.registry import model_registry
from observability import logs
from observability.probe import Probe
from observability.work_status import WorkStatus
from settings import Settings, sigterm
from storage import locks
from storage.errors import place, reason
from storage.locks import Lock
from topics.records import HORIZONS, Deployment, Drift, ModelEvent

log = logging.getLogger("foretick")

POLL_S = 1.0
STEP_BARS = 1_440
"""The number of bars read at once."""
REFUSED = """
SELECT model, version, event, fingerprint, number, reason FROM model_events
WHERE event = 'refused' AND (model, number) IN (SELECT model, max(number) FROM model_deployments GROUP BY model)
ORDER BY time
"""
DECISIONS = "SELECT count(*) FROM model_deployments"
SKILL = """
INSERT INTO model_skill (time, interval, model, version, role, horizon, regime, days, forecasts, pinball_skill,
    mae_skill, coverage)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (interval, model, version, horizon, regime, days, time) DO UPDATE SET (role, forecasts, pinball_skill,
    mae_skill, coverage) = (excluded.role, excluded.forecasts, excluded.pinball_skill, excluded.mae_skill,
    excluded.coverage)
"""
SKILL_KNOWN = "SELECT max(time) FROM model_skill WHERE interval = %s"


class ModelMonitor:
    """Reads newly stored rows, and decides. `look` is one round."""

    def __init__(self, settings: Settings, connection: Connection, work_status: WorkStatus | None = None) -> None:
        self._settings, self._connection = settings, connection
        self._work_status = work_status or WorkStatus(settings)
        self._ledger = Ledger(settings)
        self._stored = Stored(connection, settings.interval, HORIZONS)
        self._scorer = Scorer(settings, HORIZONS, self._stored.span, lru_cache(maxsize=None)(self._origin))
        self._watermark: Watermark | None = None
        self._skill_until = -1
        self._failed: set[tuple[object, ...]] = set()
        self._decisions = 0
        self._latest: dict[str, Deployment] = {}
        self._aligned: dict[str, int] = {}
        self._stream_log = StreamLog(connection, settings.interval, settings.home / "models")

    def look(self) -> int:
        """Process the complete bars, then decide; return the number of steps of bars."""
        newest = self._stored.newest()
        steps = 0
        if newest:
            self._watermark = self._watermark or self._begin(max(newest.values()))
            until = self._watermark.advance(newest, time.monotonic())
            while self._watermark.read < until:
                self._take(self._watermark.read, min(until, self._watermark.read + STEP_BARS * self._stored.span))
                steps += 1
        latest = self._deployments()
        self._decide(latest)
        self._align(latest)
        return steps

    def seen(self) -> str:
        """Return its progress in words."""
        if self._watermark is None:
            return f"there are no {self._settings.interval} bars yet"
        return f"has read up to {moment(self._watermark.read).isoformat(' ', 'minutes')}"

    def _begin(self, newest: int) -> Watermark:
        days = max(self._settings.challenger_days, *DAYS) + 1
        result = self._connection.execute(SKILL_KNOWN, (self._settings.interval,)).fetchone()
        if result and result[0]:
            self._skill_until = round(result[0].timestamp() * 1000)
        start = max(0, newest - round(days * DAY_MS))
        log.info("watching %s from %s on", self._settings.interval, moment(start).isoformat(" ", "minutes"))
        return Watermark(start)

    def _take(self, after: int, until: int) -> None:
        """Process the bars in (after, until]."""
        self._work_status.does(f"reads the bars up to {moment(until).isoformat(' ', 'minutes')}")
        assert self._watermark is not None  # noqa: S101 - for mypy: `look` has set it
        stored, scorer = self._stored, self._scorer
        stored.learn_regimes(after - max(HORIZONS) * stored.span, until)
        drifts, skills = scorer.scored(stored.scored(after, until))
        times, whose, value = stored.dissimilarity(after, until)
        drifts += scorer.predicted(times, whose, value, stored.versions)
        drifts += self._compared(after, until, times, whose)
        self._store_skill(skills)
        for drift in alarms.new(self._connection, drifts):
            alarms.publish(self._settings.broker, [drift])
            log.info("drift of %s %s: %s (%s)", drift.model, drift.version, drift.detail, drift.kind)
        self._watermark.read = until

    def _compared(self, after: int, until: int, times: Ints, whose: Ints) -> list[Drift]:
        """Return how the features at the champions' bars in (after, until] have changed."""
        stored, drifts = self._stored, []
        references = self._scorer.compared(whose, stored.versions)
        for fingerprint in sorted({reference.fingerprint for reference in references.values()}):
            time, values = stored.features(after, until, fingerprint)
            for number, reference in references.items():
                if reference.fingerprint == fingerprint:
                    rows = np.isin(time, times[whose == number])
                    drifts += self._scorer.computed(stored.versions[number], time[rows], values[rows])
        return drifts

    def _store_skill(self, skills: list[SkillRow]) -> None:
        # Stored skills are not recomputed: at a start the days before the first bar read are missing.
        new = [skill for skill in skills if skill.time > self._skill_until]
        with self._connection.cursor() as cursor:
            cursor.executemany(SKILL, [(moment(one.time), self._settings.interval, *one[1:]) for one in new])

    def _deployments(self) -> dict[str, Deployment]:
        """Return the newest decision about each model."""
        result = self._connection.execute(DECISIONS).fetchone()
        if result is not None and result[0] != self._decisions:
            self._latest, self._decisions = self._ledger.latest(), result[0]
        return dict(self._latest)

    def _decide(self, latest: dict[str, Deployment]) -> None:
        fingerprint = self._ledger.fingerprint
        serving = [one for one in latest.values() if one.fingerprint == fingerprint]
        newest = self._watermark.read if self._watermark else 0
        for decision in due(serving, self._refused(), self._scorer.challenges, newest, self._settings):
            model, number, action, version, decided_by, why, evidence = decision
            if (model, number, action, version) in self._failed:
                continue
            try:
                made = self._ledger.decide(model, action, version, decided_by=decided_by, why=why, evidence=evidence)
            except LedgerError as error:
                if self._ledger.latest()[model].number != number:
                    raise  # it is recorded but not published: the next start publishes it
                self._failed.add((model, number, action, version))
                log.warning("%s of %s not decided: %s", action, model, error)
                continue
            latest[model] = made
            log.info("deployment %d of %s: %s %s, %s", made.number, model, action, version or made.champion, why)

    def _refused(self) -> Iterator[ModelEvent]:
        for model, version, event, fingerprint, number, why in self._connection.execute(REFUSED).fetchall():
            yield ModelEvent(
                model=model, version=version, event=event, fingerprint=fingerprint, time=0, number=number, reason=why
            )

    def _origin(self, whose: Version) -> Origin:
        """Return a version's provenance; an unreadable one is logged, and not compared with."""
        folder = self._settings.home / "models"
        try:
            provenance = model_registry.provenance(folder, *whose)
            if provenance is None or provenance.reference is None:
                return provenance, None
            return provenance, Reference.load(folder, provenance.reference)
        except ValueError as error:
            log.warning("%s %s is not compared with its training data: %s", *whose, error)
            return None, None

    def _align(self, latest: dict[str, Deployment]) -> None:
        """Update MLflow's aliases by the deployments, and its runs by the stream's scores, if it answers."""
        numbers = {model: one.number for model, one in latest.items()}
        tracker = Tracker(self._settings.mlflow_uri.get_secret_value())
        due = self._watermark is not None and self._stream_log.is_due(latest, self._watermark.read)
        if (numbers == self._aligned and not due) or not tracker.reachable():
            return
        try:
            if numbers != self._aligned:
                tracker.align(latest, self._settings.home / "models")
            if self._watermark is not None and due:
                self._stream_log.log(tracker, latest, self._watermark.read)
        except TrackingError as error:
            log.warning("the versions are not logged to MLflow: %s", error)
        self._aligned = numbers


@contextmanager
def alone(url: str, work_status: WorkStatus | None = None) -> Iterator[Connection]:
    """Connect, and wait until no other watch runs."""
    work_status = work_status or WorkStatus()
    with psycopg.connect(locks.keepalive_url(url), autocommit=True) as connection:
        reported = False
        while not locks.try_lock(connection, Lock.WATCH):
            if not reported:
                log.info("another watch runs: this one waits for its end")
            reported = True
            work_status.wait("another watch works; this one is on standby until it ends")
            time.sleep(POLL_S)
        work_status.wait(None)
        yield connection


def main(work_status: WorkStatus) -> None:
    """Monitor until stopped. Ends with one line if a server is lost: a restart continues."""
    settings = Settings()
    url = settings.database_url.get_secret_value()
    try:
        with alone(url, work_status) as connection:
            work_status.does("publishes what is deployed")
            Ledger(settings).publish_latest()
            watch = ModelMonitor(settings, connection, work_status)
            while True:
                watch.look()
                work_status.did(watch.seen())
                time.sleep(POLL_S)
    except psycopg.Error as error:
        sys.exit(f"the watch ends: {place(url)} does not answer ({reason(error)})")
    except KafkaError as error:
        sys.exit(f"the watch ends: Kafka at {settings.broker} does not answer ({reason(error)})")
    except LedgerError as error:
        sys.exit(f"the watch ends: {error}")


if __name__ == "__main__":
    sigterm.end()
    configured = Settings()
    logs.configure("watch", configured)
    own = WorkStatus(configured)
    own.wait("the database")
    Probe("watch", own.condition).start(configured)
    main(own)

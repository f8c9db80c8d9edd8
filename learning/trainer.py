"""The trainer: a separate process of low priority and limited memory that runs trainings.

`python -m learning.trainer` runs it: interrupted runs first, then requested ones, then those that are due.
"""

import logging
import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, LiteralString

import psutil
import psycopg

from learning.runs.lease import RunLease
from learning.runs.queue import Runs
from learning.runs.records import PipelineRun, Step
from learning.training import memory_limit
from learning.training.data_check import FEWEST_DAYS
from learning.training.schedule import StreamState, due, waits_for
from observability import logs
from observability.probe import Probe
from observability.work_status import WorkStatus
from settings import Settings, priority, sigterm
from storage.errors import StorageError, place, reason
from storage.row_records import record_of
from topics.records import Drift

log = logging.getLogger("foretick")

POLL_S, LONGEST_WAIT_S = 5.0, 300.0
NICE = 19
RUN_S = 6 * 3_600.0
"""The most seconds that a step of a training may take."""
SPAN = """
SELECT (extract(epoch FROM min(time)) * 1000)::int8, (extract(epoch FROM max(time)) * 1000)::int8
FROM bars WHERE interval = %s AND time >= %s
"""
ALARMS = """
SELECT model, version, kind, detector, (extract(epoch FROM time) * 1000)::int8, statistic, "limit", interval
FROM drift WHERE interval = %s AND time > %s ORDER BY time
"""


class Trainer:
    """Checks the database every few seconds, and trains in this process."""

    def __init__(self, settings: Settings, work_status: WorkStatus | None = None) -> None:
        self.settings = settings
        self._work_status = work_status or WorkStatus(settings)
        self._url = settings.database_url.get_secret_value()
        self._runs = Runs(self._url)
        self._seen: StreamState | None = None
        self._last: PipelineRun | None = None

    def work(self) -> None:
        """Wait for a run, and do it; after failures, wait increasingly longer before the next check."""
        failures = 0
        while True:
            try:
                if self.once():
                    return
                failures = 0
            except StorageError as error:
                failures += 1
                log.warning("%s", error)
                self._work_status.wait(str(error))
            time.sleep(min(POLL_S * 2 ** min(failures, 10), LONGEST_WAIT_S))

    def once(self) -> bool:
        """Do the next run, after requesting the one that is due; return whether there was any."""
        unfinished = self._runs.unfinished()
        if not unfinished:
            self._ask()
        with self._runs.taken() as lease:
            if lease is None:
                others = f"the end of run {unfinished[0].run_id}, which another process works on" if unfinished else ""
                self._work_status.wait(others or self._next(), planned=True)
                return False
            self._train(lease)
            return True

    def _train(self, lease: RunLease) -> None:
        from learning.pipeline import complete  # noqa: PLC0415 - 300 MB that a trainer that waits is not to hold

        run = lease.run
        log.info("run %s, asked for by %s: %s", run.run_id, run.requested_by, run.why)
        self._work_status.did(f"trains: run {run.run_id}")

        def told(step: Step) -> None:
            _logged(step)
            self._work_status.did(f"trains: run {run.run_id}, {step.step} {step.model or ''} {step.state}")

        lease.on_message = told
        report = complete(self.settings, lease, warned=log.warning)
        for one in report.models:
            log.info("run %s: %s %s: %s", run.run_id, one.model, one.version or "-", one.error or one.why or one.role)
        log.info("run %s %s%s", run.run_id, report.run.state, f": {report.run.error}" if report.run.error else "")

    def _ask(self) -> None:
        """Request the run that is due; of several trainers one does."""
        runs = self._runs.listed()
        self._last = runs[0] if runs else None
        seen = self._look(max((run.bar_time for run in runs if run.bar_time is not None), default=None))
        if seen is None:
            return
        since = seen.first if seen.last_run is None else seen.last_run
        results = due(self.settings, seen, self._alarms(since), FEWEST_DAYS)
        if results is not None:
            by, why = results
            self._runs.request(why, by, seen.newest, unless_after=runs[0].run_id if runs else None)

    def _next(self) -> str:
        """Return what it waits for, with the bars' times if they decide; and whether the last run failed."""
        if self._seen is None:
            waits = f"the first {self.settings.interval} bars"
        else:
            waits = "the next run: " + waits_for(self.settings, self._seen, FEWEST_DAYS)
        if self._last is None or self._last.state != "failed":
            return waits
        return f"{waits}; the last run, {self._last.run_id}, failed: {self._last.error}"

    def _look(self, last_run: int | None) -> StreamState | None:
        """Return the known state of the stream, None if no bar is stored yet."""
        since = 0 if self._seen is None else self._seen.newest  # earlier alarms are known
        ((oldest, newest),) = self._rows(SPAN, self.settings.interval, _moment(since))
        if newest is None:
            return None
        if self._seen is None:
            self._seen = StreamState(newest, oldest, newest, last_run)
        self._seen = replace(self._seen, newest=newest, last_run=last_run)
        return self._seen

    def _alarms(self, since: int) -> list[Drift]:
        return [record_of(Drift, row) for row in self._rows(ALARMS, self.settings.interval, _moment(since))]

    def _rows(self, query: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
        try:
            with psycopg.connect(self._url, autocommit=True) as connection:
                return connection.execute(query, parameters).fetchall()
        except psycopg.Error as error:
            raise StorageError(f"{place(self._url)} does not answer: {reason(error)}") from None


def _logged(step: Step) -> None:
    """Log the line of a step that has ended."""
    if step.state != "running":
        what = f"{step.step} {step.model}" if step.model else step.step
        log.info("%s %s after %.1f s%s", what, step.state, step.seconds or 0.0, f": {step.error}" if step.error else "")


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1_000, UTC)


def give_way(settings: Settings) -> None:
    """Set the lowest priority, and limit the memory."""
    priority.lower(NICE)
    psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    memory_limit.limit(settings.trainer_memory_mb)


if __name__ == "__main__":
    sigterm.end()  # the step is recorded as stopped, and the run is resumed at the next start
    wanted = Settings()
    logs.configure("trainer", wanted)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # we log an absent MLflow ourselves
    give_way(wanted)
    own = WorkStatus(wanted, work_s=RUN_S)
    own.wait("the database")
    Probe("trainer", own.condition).start(wanted)
    Trainer(wanted, own).work()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - anew, since memory that a training took is never given back

"""The trainer: a process of its own, of low priority and bounded memory, that trains when it is time to.

`python -m learning.trainer` runs it: what was interrupted first, then what was asked for, then what is due.
"""

import logging
import os
import signal
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from types import FrameType
from typing import Any, LiteralString

import psutil
import psycopg

from learning import memory
from learning.check import FEWEST_DAYS
from learning.held import Held
from learning.run_records import Step
from learning.runs import Runs
from learning.schedule import Seen, due, waits_for
from settings import Settings
from storage.errors import StorageError, place, reason
from stream import logs
from stream.probe import Probe
from stream.standing import Standing
from topics.records import Drift

log = logging.getLogger("foretick")

POLL_S, LONGEST_WAIT_S = 5.0, 300.0
NICE = 19
RUN_S = 6 * 3_600.0
"""A step of a training may take so long."""
SPAN = """
SELECT (extract(epoch FROM min(time)) * 1000)::int8, (extract(epoch FROM max(time)) * 1000)::int8
FROM bars WHERE interval = %s AND time >= %s
"""
ALARMS = """
SELECT model, version, kind, detector, (extract(epoch FROM time) * 1000)::int8, statistic, "limit", interval
FROM drift WHERE interval = %s AND time > %s ORDER BY time
"""


class Trainer:
    """Looks at the database every few seconds, and trains in this process."""

    def __init__(self, settings: Settings, standing: Standing | None = None) -> None:
        self.settings = settings
        self._standing = standing or Standing(settings)
        self._url = settings.database_url.get_secret_value()
        self._runs = Runs(self._url)
        self._seen: Seen | None = None

    def work(self) -> None:
        """Wait until there was a run, and do it; where something fails, wait ever longer before the next look."""
        failures = 0
        while True:
            try:
                if self.once():
                    return
                failures = 0
            except StorageError as error:
                failures += 1
                log.warning("%s", error)
                self._standing.wait(str(error))
            time.sleep(min(POLL_S * 2 ** min(failures, 10), LONGEST_WAIT_S))

    def once(self) -> bool:
        """Do the next run, if need be after asking for the one that is due; tell whether there was any."""
        if not self._runs.unfinished():
            self._ask()
        with self._runs.taken() as held:
            if held is None:
                self._standing.wait(self._next(), planned=True)
                return False
            self._train(held)
            return True

    def _train(self, held: Held) -> None:
        from learning.pipeline import complete  # noqa: PLC0415 - 300 MB that a trainer that waits is not to hold

        run = held.run
        log.info("run %s, asked for by %s: %s", run.run_id, run.requested_by, run.why)
        self._standing.did(f"trains: run {run.run_id}")

        def told(step: Step) -> None:
            _logged(step)
            self._standing.did(f"trains: run {run.run_id}, {step.step} {step.model or ''} {step.state}")

        held.told = told
        report = complete(self.settings, held, warned=log.warning)
        for one in report.models:
            log.info("run %s: %s %s: %s", run.run_id, one.model, one.version or "-", one.error or one.why or one.role)
        log.info("run %s %s%s", run.run_id, report.run.state, f": {report.run.error}" if report.run.error else "")

    def _ask(self) -> None:
        """Ask for the run that is due; of several trainers one does."""
        runs = self._runs.listed()
        seen = self._look(max((run.bar_time for run in runs if run.bar_time is not None), default=None))
        if seen is None:
            return
        since = seen.first if seen.last_run is None else seen.last_run
        found = due(self.settings, seen, self._alarms(since), FEWEST_DAYS)
        if found is not None:
            by, why = found
            self._runs.request(why, by, seen.newest, unless_after=runs[0].run_id if runs else None)

    def _next(self) -> str:
        """Return what it waits for, with the times of the bars where they decide."""
        if self._seen is None:
            return f"the first {self.settings.interval} bars"
        return "the next run: " + waits_for(self.settings, self._seen, FEWEST_DAYS)

    def _look(self, last_run: int | None) -> Seen | None:
        """Return what is known of the stream by now, None where no bar is stored yet."""
        since = 0 if self._seen is None else self._seen.newest  # what lies before is known
        ((oldest, newest),) = self._rows(SPAN, self.settings.interval, _moment(since))
        if newest is None:
            return None
        if self._seen is None:
            self._seen = Seen(newest, oldest, newest, last_run)
        self._seen = replace(self._seen, newest=newest, last_run=last_run)
        return self._seen

    def _alarms(self, since: int) -> list[Drift]:
        return [Drift(*row) for row in self._rows(ALARMS, self.settings.interval, _moment(since))]

    def _rows(self, query: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
        try:
            with psycopg.connect(self._url, autocommit=True) as connection:
                return connection.execute(query, parameters).fetchall()
        except psycopg.Error as error:
            raise StorageError(f"{place(self._url)} does not answer: {reason(error)}") from None


def _logged(step: Step) -> None:
    """Log a step that has ended in one line."""
    if step.state != "running":
        what = f"{step.step} {step.model}" if step.model else step.step
        log.info("%s %s after %.1f s%s", what, step.state, step.seconds or 0.0, f": {step.error}" if step.error else "")


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1_000, UTC)


def give_way(settings: Settings) -> None:
    """Let everything else on the machine go first, and bound the memory."""
    os.nice(NICE)
    psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    memory.limit(settings.trainer_memory_mb)


def stop(_signal: int, _frame: FrameType | None) -> None:
    """End as an error would: the step is recorded as stopped, and the run is resumed at the next start."""
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    wanted = Settings()
    logs.configure("trainer", wanted)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # that MLflow is away is told in a line of ours
    give_way(wanted)
    own = Standing(wanted, work_s=RUN_S)
    own.wait("the database")
    Probe("trainer", own.condition).start(wanted)
    Trainer(wanted, own).work()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - anew, since memory that a training took is never given back

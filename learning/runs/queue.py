"""The queue of pipeline runs in TimescaleDB: requested, leased by one process at a time, resumed after a crash."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from secrets import token_hex

import msgspec
import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb

from learning.runs.lease import RunLease
from learning.runs.records import RUN, STEP, Options, Overview, PipelineRun, Step, run_of, step_of
from storage import locks
from storage.errors import StorageError, place, reason
from storage.locks import Lock

NEWEST = f"SELECT {RUN} FROM pipeline_runs ORDER BY requested_at DESC LIMIT 1"  # noqa: S608 - our own constants here
ONE = f"SELECT {RUN} FROM pipeline_runs WHERE run_id = %s"  # noqa: S608 - our own constants
ALL = f"SELECT {RUN} FROM pipeline_runs ORDER BY requested_at DESC LIMIT %s"  # noqa: S608 - our own constants
UNFINISHED = f"""
SELECT {RUN} FROM pipeline_runs WHERE state IN ('queued', 'running') ORDER BY state = 'queued', requested_at
"""  # noqa: S608 - our own constants
STEPS = f"SELECT {STEP} FROM pipeline_steps WHERE run_id = %s ORDER BY pipeline_steps.started_at"  # noqa: S608 - our own constants
ADD = """
INSERT INTO pipeline_runs (run_id, why, requested_by, bar_time, state, options)
VALUES (%s, %s, %s, to_timestamp(%s / 1000.0), %s, %s)
"""
PASSED = """
INSERT INTO pipeline_runs (run_id, why, requested_by, bar_time, state, options, ended_at)
SELECT %(id)s::text, %(why)s::text, %(by)s::text, to_timestamp(%(time)s / 1000.0),
    'done', %(options)s::jsonb, clock_timestamp()
WHERE NOT EXISTS (SELECT FROM bars WHERE interval = %(interval)s AND time >= to_timestamp(%(time)s / 1000.0))
    AND NOT EXISTS (SELECT FROM pipeline_runs WHERE bar_time >= to_timestamp(%(time)s / 1000.0))
"""
RUNNING = "UPDATE pipeline_runs SET state = 'running', error = NULL, ended_at = NULL WHERE run_id = %s"
RESUMED = """
UPDATE pipeline_runs SET stop_reason = NULL, stop_requested_by = NULL, stop_requested_at = NULL WHERE run_id = %s
"""
STOP = """
UPDATE pipeline_runs SET stop_reason = %s, stop_requested_by = %s, stop_requested_at = clock_timestamp()
WHERE run_id = %s AND state IN ('queued', 'running')
"""


class Runs:
    """The log of runs. Raises StorageError if the database cannot be reached or refuses."""

    def __init__(self, url: str) -> None:
        self._url = url

    def request(
        self,
        why: str,
        requested_by: str,
        bar_time: int | None,
        options: Options | None = None,
        unless_after: str | None = "",
    ) -> str | None:
        """Request a run, which a trainer will take, and return its id.

        With `unless_after`, None is returned and nothing requested if the newest run is no longer that one (None: there
        is none), so that of several processes only one requests it.
        """
        run_id = _new_id()
        with self._connected() as connection, connection.transaction():
            locks.wait_in_transaction(connection, Lock.RUN_REQUEST)
            row = connection.execute(NEWEST).fetchone()
            if unless_after != "" and (None if row is None else row[0]) != unless_after:
                return None
            _add(connection, run_id, why, requested_by, bar_time, "queued", options)
        return run_id

    def pass_over(self, until: int, interval: str, requested_by: str, why: str) -> None:
        """Prevent trainings by schedule and drift until the bars are later than `until` (epoch ms).

        An empty run is logged at that time, from which both count. If the stream is already later, none is needed: no
        earlier bar triggers a training.
        """
        fields = {"id": _new_id(), "why": why, "by": requested_by, "time": until, "interval": interval}
        with self._connected() as connection:
            connection.execute(PASSED, fields | {"options": Jsonb(msgspec.to_builtins(Options()))})

    @contextmanager
    def begun(self, why: str, requested_by: str, bar_time: int | None, options: Options) -> Iterator[RunLease]:
        """Request a run and lease it at once."""
        run_id = _new_id()
        with self._connected() as connection:
            locks.try_lock(connection, Lock.RUN, run_id)
            _add(connection, run_id, why, requested_by, bar_time, "running", options)
            yield self._leased(connection, run_id)

    @contextmanager
    def taken(self) -> Iterator[RunLease | None]:
        """Lease the next run without a worker: first those begun and not ended, then in the order of requests.

        None if there is none.
        """
        with self._connected() as connection:
            for run in map(run_of, connection.execute(UNFINISHED).fetchall()):
                if locks.try_lock(connection, Lock.RUN, run.run_id):
                    now = _one(connection, run.run_id)
                    if now is not None and now.state in ("queued", "running"):  # not ended meanwhile
                        yield self._leased(connection, run.run_id)
                        return
            yield None

    @contextmanager
    def resumed(self, run_id: str) -> Iterator[RunLease]:
        """Lease a run that is not done. Raises ValueError with one line if it cannot be resumed."""
        with self._connected() as connection:
            run = _one(connection, run_id)
            if run is None:
                raise ValueError(f"no run {run_id!r}; foretick pipeline list shows them")
            if run.state == "done":
                raise ValueError(f"run {run_id} is done: foretick pipeline show {run_id}")
            if not locks.try_lock(connection, Lock.RUN, run_id):
                raise ValueError(f"run {run_id} is being worked on by another process")
            connection.execute(RESUMED, (run_id,))
            yield self._leased(connection, run_id)

    def stop(self, run_id: str, why: str, requested_by: str) -> None:
        """Ask for a run to stop at its next checkpoint, and keep the reason.

        It ends as failed with the reason, and can be resumed. Raises ValueError with one line if it has ended.
        """
        with self._connected() as connection:
            if not connection.execute(STOP, (why, requested_by, run_id)).rowcount:
                run = _one(connection, run_id)
                raise ValueError(f"no run {run_id!r}" if run is None else f"run {run_id} has ended: {run.state}")

    def newest(self) -> PipelineRun | None:
        """Return the run that was requested last."""
        with self._connected() as connection:
            row = connection.execute(NEWEST).fetchone()
            return None if row is None else run_of(row)

    def unfinished(self) -> list[PipelineRun]:
        """Return the runs that are not done and have not failed, in the order in which they will be taken."""
        with self._connected() as connection:
            return [run_of(row) for row in connection.execute(UNFINISHED).fetchall()]

    def listed(self, most: int = 50) -> list[PipelineRun]:
        """Return the last runs, the newest first."""
        with self._connected() as connection:
            return [run_of(row) for row in connection.execute(ALL, (most,)).fetchall()]

    def shown(self, run_id: str) -> tuple[PipelineRun, list[Step]]:
        """Return a run and its steps as they were begun. Raises ValueError if there is none with that id."""
        with self._connected() as connection:
            run = _one(connection, run_id)
            if run is None:
                raise ValueError(f"no run {run_id!r}; foretick pipeline list shows them")
            return run, [step_of(row) for row in connection.execute(STEPS, (run_id,)).fetchall()]

    def overview(self, run_id: str | None, most: int = 50) -> Overview:
        """Return the last runs, one of them with its steps (the newest, if it is None or unknown), read at once."""
        with self._connected() as connection:
            runs = [run_of(row) for row in connection.execute(ALL, (most,)).fetchall()]
            one = (None if run_id is None else _one(connection, run_id)) or (runs[0] if runs else None)
            if one is None:
                return Overview(runs, None, [], at_work=False)
            steps = [step_of(row) for row in connection.execute(STEPS, (one.run_id,)).fetchall()]
            return Overview(runs, one, steps, at_work=locks.is_locked(connection, Lock.RUN, one.run_id))

    def _leased(self, connection: Connection, run_id: str) -> RunLease:
        connection.execute(RUNNING, (run_id,))
        run = _one(connection, run_id)
        assert run is not None  # noqa: S101 - for mypy: it is there, and runs are never deleted
        return RunLease(connection, self._url, run)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Connect; the locks that are taken last as long as the connection, which ends with the process."""
        try:
            with psycopg.connect(locks.keepalive_url(self._url), autocommit=True) as connection:
                yield connection
        except psycopg.errors.UndefinedTable:
            raise StorageError(f"{place(self._url)} has no table of runs yet: ./foretick up creates it") from None
        except psycopg.Error as error:
            raise StorageError(f"{place(self._url)} does not answer: {reason(error)}") from None


def _new_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{token_hex(2)}"


def _add(
    connection: Connection,
    run_id: str,
    why: str,
    requested_by: str,
    bar_time: int | None,
    state: str,
    options: Options | None,
) -> None:
    asked = Jsonb(msgspec.to_builtins(options or Options()))
    connection.execute(ADD, (run_id, why, requested_by, bar_time, state, asked))


def _one(connection: Connection, run_id: str) -> PipelineRun | None:
    row = connection.execute(ONE, (run_id,)).fetchone()
    return None if row is None else run_of(row)

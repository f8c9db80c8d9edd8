"""The runs of the pipeline, in TimescaleDB: asked for, taken by one process at a time, taken up where it was killed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from secrets import token_hex

import msgspec
import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb

from learning.held import Held
from learning.run_records import RUN, STEP, Options, Run, Step, run_of, step_of
from storage import locks
from storage.errors import StorageError, place, reason
from storage.locks import Lock

NEWEST = f"SELECT {RUN} FROM pipeline_runs ORDER BY requested_at DESC LIMIT 1"  # noqa: S608 - our own constants here
ONE = f"SELECT {RUN} FROM pipeline_runs WHERE run_id = %s"  # noqa: S608
ALL = f"SELECT {RUN} FROM pipeline_runs ORDER BY requested_at DESC LIMIT %s"  # noqa: S608
UNFINISHED = f"""
SELECT {RUN} FROM pipeline_runs WHERE state IN ('queued', 'running') ORDER BY state = 'queued', requested_at
"""  # noqa: S608
STEPS = f"SELECT {STEP} FROM pipeline_steps WHERE run_id = %s ORDER BY pipeline_steps.started_at"  # noqa: S608
ADD = """
INSERT INTO pipeline_runs (run_id, why, requested_by, bar_time, state, options)
VALUES (%s, %s, %s, to_timestamp(%s / 1000.0), %s, %s)
"""
RUNNING = "UPDATE pipeline_runs SET state = 'running', error = NULL, ended_at = NULL WHERE run_id = %s"


class Runs:
    """The log of runs. Raises StorageError where the database cannot be reached or refuses."""

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
        """Ask for a run, which a trainer will take, and return its id.

        With `unless_after`, None is returned and nothing asked for where the newest run is not that one any more (None:
        there is none): of several that want the same, one asks.
        """
        run_id = _new_id()
        with self._connected() as connection, connection.transaction():
            locks.wait_in_transaction(connection, Lock.RUN_REQUEST)
            row = connection.execute(NEWEST).fetchone()
            if unless_after != "" and (None if row is None else row[0]) != unless_after:
                return None
            _add(connection, run_id, why, requested_by, bar_time, "queued", options)
        return run_id

    @contextmanager
    def begun(self, why: str, requested_by: str, bar_time: int | None, options: Options) -> Iterator[Held]:
        """Ask for a run and hold it at once."""
        run_id = _new_id()
        with self._connected() as connection:
            locks.taken(connection, Lock.RUN, run_id)
            _add(connection, run_id, why, requested_by, bar_time, "running", options)
            yield self._held(connection, run_id)

    @contextmanager
    def taken(self) -> Iterator[Held | None]:
        """Hold the next run that nobody works on: one that was begun and not ended first, then as they were asked for.

        None where there is none.
        """
        with self._connected() as connection:
            for run in map(run_of, connection.execute(UNFINISHED).fetchall()):
                if locks.taken(connection, Lock.RUN, run.run_id):
                    now = _one(connection, run.run_id)
                    if now is not None and now.state in ("queued", "running"):  # nobody ended it in between
                        yield self._held(connection, run.run_id)
                        return
            yield None

    @contextmanager
    def resumed(self, run_id: str) -> Iterator[Held]:
        """Hold a run that is not done. Raises ValueError with one line where it cannot be resumed."""
        with self._connected() as connection:
            run = _one(connection, run_id)
            if run is None:
                raise ValueError(f"no run {run_id!r}; foretick pipeline list shows them")
            if run.state == "done":
                raise ValueError(f"run {run_id} is done: foretick pipeline show {run_id}")
            if not locks.taken(connection, Lock.RUN, run_id):
                raise ValueError(f"run {run_id} is at work in another process")
            yield self._held(connection, run_id)

    def newest(self) -> Run | None:
        """Return the run that was asked for last."""
        with self._connected() as connection:
            row = connection.execute(NEWEST).fetchone()
            return None if row is None else run_of(row)

    def unfinished(self) -> list[Run]:
        """Return the runs that are not done and have not failed, in the order in which they will be taken."""
        with self._connected() as connection:
            return [run_of(row) for row in connection.execute(UNFINISHED).fetchall()]

    def listed(self, most: int = 50) -> list[Run]:
        """Return the last runs, the newest first."""
        with self._connected() as connection:
            return [run_of(row) for row in connection.execute(ALL, (most,)).fetchall()]

    def shown(self, run_id: str) -> tuple[Run, list[Step]]:
        """Return a run and its steps as they were begun. Raises ValueError where there is none of that id."""
        with self._connected() as connection:
            run = _one(connection, run_id)
            if run is None:
                raise ValueError(f"no run {run_id!r}; foretick pipeline list shows them")
            return run, [step_of(row) for row in connection.execute(STEPS, (run_id,)).fetchall()]

    def _held(self, connection: Connection, run_id: str) -> Held:
        connection.execute(RUNNING, (run_id,))
        run = _one(connection, run_id)
        assert run is not None  # noqa: S101 - for mypy: it is there, and runs are never deleted
        return Held(connection, self._url, run)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Connect; the locks that are taken last as long as the connection, which ends with the process."""
        try:
            with psycopg.connect(locks.kept(self._url), autocommit=True) as connection:
                yield connection
        except psycopg.errors.UndefinedTable:
            raise StorageError(f"{place(self._url)} has no table of runs yet: ./foretick up makes it") from None
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


def _one(connection: Connection, run_id: str) -> Run | None:
    row = connection.execute(ONE, (run_id,)).fetchone()
    return None if row is None else run_of(row)

"""The lease of a pipeline run: only its holder works on the run and records its progress."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from traceback import format_exc
from typing import Any, LiteralString

import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb

from learning.runs.records import STEP, PipelineRun, Step, step_of
from learning.training.memory_limit import more
from storage.errors import StorageError, place, reason

MOST_ATTEMPTS = 3
"""How often the process may be killed, or ended by a library, in a step before it is given up."""
INNERMOST = 5
"""The number of stack frames recorded with an error."""
BEGIN = f"""
INSERT INTO pipeline_steps (run_id, step, model, state, started_at)
VALUES (%s, %s, %s, 'running', clock_timestamp())
ON CONFLICT (run_id, step, model) DO UPDATE SET
    state = 'running', started_at = excluded.started_at, ended_at = NULL, seconds = NULL, detail = NULL, error = NULL,
    attempts = CASE WHEN pipeline_steps.state = 'running' THEN pipeline_steps.attempts + 1 ELSE 1 END
RETURNING {STEP}
"""  # noqa: S608 - our own constant
END = f"""
UPDATE pipeline_steps SET state = %s, detail = %s, error = %s, ended_at = clock_timestamp(),
    seconds = extract(epoch FROM clock_timestamp() - started_at)
WHERE run_id = %s AND step = %s AND model IS NOT DISTINCT FROM %s
RETURNING {STEP}
"""  # noqa: S608 - our own constant
STATE = "SELECT state FROM pipeline_steps WHERE run_id = %s AND step = %s AND model IS NOT DISTINCT FROM %s"
FINISH = "UPDATE pipeline_runs SET state = %s, error = %s, ended_at = clock_timestamp() WHERE run_id = %s"
STOP = "SELECT stop_requested_by || ': ' || stop_reason FROM pipeline_runs WHERE run_id = %s"
TRACKED = "UPDATE pipeline_runs SET mlflow_run_id = %s WHERE run_id = %s"
OnMessage = Callable[[Step], None]


class RunLease:
    """The run, for the life of the connection with its lock, which is also used for all writes. So a process that has
    lost the lock cannot write.

    Raises StorageError if the database fails.
    """

    def __init__(self, connection: Connection, url: str, run: PipelineRun) -> None:
        self.run = run
        self.on_message: OnMessage = lambda _: None
        """Called with each step when it begins and when it ends."""
        self._connection, self._url = connection, url

    @contextmanager
    def step(self, step: str, model: str | None = None) -> Iterator[dict[str, Any]]:
        """Record a step from its beginning to its end, with the detail that the block fills in.

        An error is recorded in one line, and raised. Raises ValueError if the process has ended in it too often.
        """
        begun = self._written(BEGIN, self.run.run_id, step, model)
        self.on_message(begun)
        if begun.attempts > MOST_ATTEMPTS:
            line = f"given up: the process was ended {MOST_ATTEMPTS} times in it; perhaps it needs {more()}"
            self._end("failed", step, model, None, line)
            raise ValueError(line)
        detail: dict[str, Any] = {}
        try:
            yield detail
        except Exception as error:
            detail["traceback"] = format_exc(limit=-INNERMOST)
            self._end("failed", step, model, detail, reason(error))
            raise
        except BaseException:
            with suppress(StorageError):  # it must end, whether this can be recorded or not
                self._end("stopped", step, model, detail, None)
            raise
        self._end("done", step, model, detail, None)

    def failed(self, step: str, model: str, error: str) -> None:
        """Record a failure within a step of all models."""
        self._written(BEGIN, self.run.run_id, step, model)
        self._end("failed", step, model, None, error)

    def is_done(self, step: str, model: str | None = None) -> bool:
        """Return whether the step has succeeded before."""
        row = self._asked(STATE, self.run.run_id, step, model).fetchone()
        return row is not None and row[0] == "done"

    def stop_requested(self) -> str | None:
        """Return by whom and why the run is to stop, None if nobody asked for it."""
        row = self._asked(STOP, self.run.run_id).fetchone()
        return None if row is None else row[0]

    def tracked(self, mlflow_run_id: str | None) -> None:
        """Record the run's id in MLflow."""
        self._asked(TRACKED, mlflow_run_id, self.run.run_id)

    def finish(self, error: str | None = None) -> None:
        """Record that the run is done, or why it failed."""
        self._asked(FINISH, "done" if error is None else "failed", error, self.run.run_id)

    def _end(self, state: str, step: str, model: str | None, detail: dict[str, Any] | None, error: str | None) -> None:
        note = None if not detail else Jsonb(detail)
        self.on_message(self._written(END, state, note, error, self.run.run_id, step, model))

    def _written(self, query: LiteralString, *parameters: object) -> Step:
        row = self._asked(query, *parameters).fetchone()
        assert row is not None  # noqa: S101 - for mypy: both statements return the row they wrote
        return step_of(row)

    def _asked(self, query: LiteralString, *parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, parameters)
        except psycopg.Error as error:
            raise StorageError(f"{place(self._url)} does not answer: {reason(error)}") from error

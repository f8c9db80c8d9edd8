"""A study as columns, read from Optuna's tables in bulk: loading one trial at a time takes minutes with 50,000."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg import Connection

from learning.tuning.queries import QUERIES

Floats = npt.NDArray[np.float64]
STATES = ("COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING")
FINISHED = STATES[:3]


@dataclass(frozen=True, kw_only=True)
class StudySummary:
    """A study, its trials by state, and its best value (None: no trial is complete); `moved` is UTC."""

    study_id: int
    name: str
    maximize: bool
    trials: int
    complete: int
    pruned: int
    failed: int
    running: int
    best: float | None
    moved: datetime | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Parameter:
    """A parameter's values by trial [n], NaN where a trial has none, and the range that they were drawn from.

    A parameter without an order has `choices`, and its values are their places.
    """

    name: str
    values: Floats
    low: float
    high: float
    log: bool = False
    choices: tuple[str, ...] = ()
    distribution: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyTable:
    """The trials of a study [n] in the order of their numbers; `value` is NaN where there is none, times epoch s.

    `state` is the place in `STATES`; `attributes` are the study's own.
    """

    summary: StudySummary
    number: npt.NDArray[np.int64]
    state: npt.NDArray[np.int64]
    value: Floats
    start: Floats
    end: Floats
    parameters: Mapping[str, Parameter]
    attributes: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.number)

    @property
    def complete(self) -> npt.NDArray[np.bool_]:
        """Return which trials are complete and have a finite value."""
        complete: npt.NDArray[np.bool_] = (self.state == 0) & np.isfinite(self.value)
        return complete

    @property
    def goodness(self) -> Floats:
        """Return the values of the complete trials so that more is better, NaN for others."""
        sign = 1.0 if self.summary.maximize else -1.0
        return np.where(self.complete, sign * self.value, np.nan)

    @property
    def best(self) -> int | None:
        """Return the row of the best trial, None if none is complete."""
        return int(np.nanargmax(self.goodness)) if self.complete.any() else None

    def best_first(self) -> npt.NDArray[np.int64]:
        """Return the rows of the complete trials, the best first."""
        goodness = self.goodness
        rows = np.flatnonzero(np.isfinite(goodness))
        return rows[np.argsort(-goodness[rows], kind="stable")]


def read_studies(connection: Connection) -> list[StudySummary]:
    """Return every study, that which moved last first."""
    return [
        StudySummary(
            study_id=study_id,
            name=name,
            maximize=direction == "MAXIMIZE",
            trials=trials,
            complete=complete,
            pruned=pruned,
            failed=failed,
            running=running,
            best=best,
            moved=moved,
        )
        for study_id, name, direction, trials, complete, pruned, failed, running, best, moved in connection.execute(
            QUERIES["studies"]
        ).fetchall()
    ]


def read_table(connection: Connection, summary: StudySummary, before: StudyTable | None = None) -> StudyTable:
    """Return a study's trials; of those that had ended in the table read `before` nothing is read again."""
    kept = _settled(before)
    where = {"study": summary.study_id, "first": kept}
    rows = connection.execute(QUERIES["trials"], where).fetchall()
    columns: dict[str, Any] = {
        "number": np.array([row[1] for row in rows], dtype=np.int64),
        "state": np.array([STATES.index(row[2]) for row in rows], dtype=np.int64),
        "value": np.array([row[3] for row in rows], dtype=np.float64),
        "start": np.array([row[4] for row in rows], dtype=np.float64),
        "end": np.array([row[5] for row in rows], dtype=np.float64),
    }
    if before is not None:
        columns = {name: np.concatenate([getattr(before, name)[:kept], new]) for name, new in columns.items()}
    where["last"] = rows[-1][1] if rows else -1  # a trial that came meanwhile is of the next reading
    known: Mapping[str, Parameter] = {} if before is None else before.parameters
    found = _parameters(connection, where, columns["number"], kept, known)
    attributes = {key: json.loads(text) for key, text in connection.execute(QUERIES["attributes"], where).fetchall()}
    return StudyTable(summary=summary, **columns, parameters=found, attributes=attributes)


def read_intermediate(
    connection: Connection, study_id: int, numbers: Sequence[int]
) -> dict[int, tuple[Floats, Floats]]:
    """Return what those trials reported on the way: steps and values [k]."""
    lines: dict[int, list[tuple[float, float]]] = {}
    for number, step, value in connection.execute(
        QUERIES["intermediate"], {"study": study_id, "numbers": list(numbers)}
    ).fetchall():
        lines.setdefault(number, []).append((step, value))
    return {number: tuple(np.array(points, dtype=np.float64).T) for number, points in lines.items()}


def read_reasons(connection: Connection, study_id: int, numbers: Sequence[int]) -> dict[int, str]:
    """Return why those of the trials failed that could not be run."""
    found = connection.execute(QUERIES["reasons"], {"study": study_id, "numbers": list(numbers)}).fetchall()
    return {number: str(json.loads(text)) for number, text in found}


def _settled(table: StudyTable | None) -> int:
    """Return how many trials from the first on have ended, and change no more. Numbers count up from 0."""
    if table is None:
        return 0
    open_ = np.flatnonzero(table.state >= len(FINISHED))
    return int(open_[0]) if len(open_) else len(table)


def _parameters(
    connection: Connection,
    where: Mapping[str, int],
    number: npt.NDArray[np.int64],
    kept: int,
    known: Mapping[str, Parameter],
) -> dict[str, Parameter]:
    distributions: dict[str, str] = dict(connection.execute(QUERIES["distributions"], where).fetchall())
    read = {name: (at, values) for name, at, values in connection.execute(QUERIES["parameters"], where).fetchall()}
    found: dict[str, Parameter] = {}
    for name in sorted(known.keys() | read.keys()):
        values = np.full(len(number), np.nan)
        if name in known:
            values[:kept] = known[name].values[:kept]
        if name in read:
            at, new = read[name]
            values[np.searchsorted(number, np.array(at, dtype=np.int64))] = np.array(new, dtype=np.float64)
        parameter = _described(name, distributions[name]) if name in distributions else known[name]
        found[name] = replace(parameter, values=values)
    return found


def _described(name: str, distribution: str) -> Parameter:
    about = json.loads(distribution)
    attributes = about["attributes"]
    if about["name"] == "CategoricalDistribution":
        choices = tuple(str(choice) for choice in attributes["choices"])
        low, high, log = 0.0, float(max(len(choices) - 1, 0)), False
    else:
        choices = ()
        low, high, log = float(attributes["low"]), float(attributes["high"]), bool(attributes["log"])
    return Parameter(
        name=name, values=np.empty(0), low=low, high=high, log=log, choices=choices, distribution=distribution
    )

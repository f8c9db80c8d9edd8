"""Reads the studies that pages show; a study's trials once, and from then on those that are new or have ended."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg import Connection

from dashboard.database import connected
from learning.tuning.study_table import (
    Floats,
    StudySummary,
    StudyTable,
    read_intermediate,
    read_reasons,
    read_studies,
    read_table,
)
from storage.errors import place, reason

STATEMENT_S = 20
PERIOD_S = 0.25
MOST_TABLES = 12
"""How many studies' trials are kept in memory: 50,000 trials of 13 parameters are 8 MB."""
REST = 4
"""A study is read again after this many times the seconds that reading it took."""
LINES = 50
"""Of so many of the best and so many of the last trials the values on the way are read."""
REASONS = 200


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """A study's trials, what some reported on the way, and why some of the last failed."""

    table: StudyTable
    intermediate: Mapping[int, tuple[Floats, Floats]]
    reasons: Mapping[int, str]


@dataclass(frozen=True)
class Studies:
    """Every study there is, and by name those that were asked for and exist."""

    known: tuple[StudySummary, ...]
    shown: Mapping[str, Study]


@dataclass
class StudySource:
    """An open database with what was read from it."""

    connection: Connection
    kept: dict[int, tuple[Study, float, float]] = field(default_factory=dict)

    def read(self, names: tuple[str, ...]) -> Studies:
        """Return the studies; of no name, the one that moved last."""
        try:
            known = tuple(read_studies(self.connection))
        except psycopg.errors.UndefinedTable:
            return Studies((), {})  # nobody has tuned yet
        wanted = [one for one in known if one.name in names] if names else list(known[:1])
        return Studies(known, {summary.name: self._study(summary) for summary in wanted})

    def _study(self, summary: StudySummary) -> Study:
        now = time.monotonic()
        study, read_at, took = self.kept.pop(summary.study_id, (None, 0.0, 0.0))
        if study is None or (study.table.summary != summary and now - read_at >= REST * took):
            study = self._read(summary, study)
            read_at, took = now, time.monotonic() - now
        self.kept[summary.study_id] = (study, read_at, took)
        while len(self.kept) > MOST_TABLES:
            del self.kept[next(iter(self.kept))]
        return study

    def _read(self, summary: StudySummary, before: Study | None) -> Study:
        table = read_table(self.connection, summary, before.table if before else None)
        lines = {*table.number[table.best_first()[:LINES]].tolist(), *table.number[-LINES:].tolist()}
        failed = table.number[table.state == 2][-REASONS:].tolist()
        study_id = summary.study_id
        return Study(
            table=table,
            intermediate=read_intermediate(self.connection, study_id, sorted(lines)),
            reasons=read_reasons(self.connection, study_id, failed),
        )


@contextmanager
def source(url: str) -> Iterator[StudySource]:
    """Open the database."""
    with connected(url, STATEMENT_S) as connection:
        yield StudySource(connection)


def describe(url: str, error: Exception) -> str:
    """Return in a sentence why the studies cannot be read."""
    return f"The database at {place(url)} does not answer ({reason(error)})."

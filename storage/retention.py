"""Drops what the tables keep no longer: of a hypertable whole chunks, of other tables rows.

A chunk goes when all its rows are older, by their own time, than so many days before the table's newest row, and when
as many days have passed since it was begun. So history that was replayed today is not dropped today, however old it is,
and nothing is dropped while nothing new comes.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg import Connection, sql

from storage import locks
from storage.errors import StorageError, place, reason
from storage.locks import Lock

log = logging.getLogger("foretick")

HYPERTABLES = {
    "ticks": "ticks",
    "bars": "bars",
    "features": "features",
    "regimes": "regimes",
    "predictions": "prediction_rows",
    "outcomes": "outcome_rows",
    "model_skill": "model_skill",
    "alerts": "alerts",
}
"""The relation with the rows of each table that is kept in chunks."""
PLAIN = {"score_hours": "score_sums", "alert_deliveries": "alert_deliveries", "dead_letters": "dead_letters"}
"""Likewise of the others."""
DELETES = {
    "score_hours": (
        "DELETE FROM score_archive WHERE hour < %(before)s",
        "DELETE FROM score_sums WHERE hour < %(before)s",
    ),
    "alert_deliveries": (
        "DELETE FROM alert_deliveries WHERE state <> 'waiting' AND made_at < %(before)s",
        "DELETE FROM alert_outbox o WHERE published_at < %(before)s "
        "AND NOT EXISTS (SELECT FROM alert_deliveries d WHERE d.alert_id = o.alert_id)",
    ),
    "dead_letters": ("DELETE FROM dead_letters WHERE time < %(before)s",),
}
LIMIT = {
    # The sums are of event time; the others' times are those of arrival.
    "score_hours": "SELECT max(hour) - make_interval(secs => %(days)s * 86400) FROM score_sums",
    "alert_deliveries": "SELECT now() - make_interval(secs => %(days)s * 86400)",
    "dead_letters": "SELECT now() - make_interval(secs => %(days)s * 86400)",
}
"""The time before which the rows of a plain table go."""
CHUNKS = """
SELECT range_start, range_end, chunk_creation_time < now() - make_interval(secs => %(days)s * 86400)
FROM timescaledb_information.chunks WHERE hypertable_schema = 'public' AND hypertable_name = %(relation)s
ORDER BY range_start
"""
APPLIED = """
INSERT INTO table_retention AS t (name, relation, kept_days, applied_at, dropped_before, dropped_at)
VALUES (%(name)s, %(relation)s, %(days)s, now(), %(before)s::timestamptz,
    CASE WHEN %(before)s::timestamptz IS NOT NULL THEN now() END)
ON CONFLICT (name) DO UPDATE SET relation = excluded.relation, kept_days = excluded.kept_days,
    applied_at = excluded.applied_at, dropped_before = coalesce(excluded.dropped_before, t.dropped_before),
    dropped_at = coalesce(excluded.dropped_at, t.dropped_at)
"""
PATIENCE = "SET LOCAL lock_timeout = '5s'"
"""A long query holds a chunk's lock; whoever waits behind it for another would stand still, so the chunk has to wait
for the next time."""


class Dropped(NamedTuple):
    """What went of a table: all before a time, in so many chunks or rows."""

    table: str
    before: datetime
    amount: int
    unit: str

    def __str__(self) -> str:
        return f"{self.table} before {self.before:%Y-%m-%d %H:%M} ({self.amount:,} {self.unit})"


def apply(url: str, days: Mapping[str, float | None]) -> list[Dropped]:
    """Drop what is older than so many days of each table (None: nothing), write that down, and return what went.

    Does nothing while another process does it. Raises StorageError if the database cannot be reached or refuses, or if
    a table is in use for too long.
    """
    where = place(url)
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            if not locks.try_lock(connection, Lock.RETENTION):
                return []
            return [gone for name in days for gone in _of_table(connection, name, days[name])]
    except psycopg.Error as error:
        raise StorageError(f"{where}: what the tables keep no longer was not dropped: {reason(error)}") from None


def _of_table(connection: Connection, name: str, days: float | None) -> list[Dropped]:
    relation = HYPERTABLES.get(name) or PLAIN[name]
    gone: list[Dropped] = []
    if days is not None:
        gone = _drop_chunks(connection, name, days) if name in HYPERTABLES else _delete(connection, name, days)
    before = max((one.before for one in gone), default=None)
    connection.execute(APPLIED, {"name": name, "relation": relation, "days": days, "before": before})
    return gone


def _drop_chunks(connection: Connection, name: str, days: float) -> list[Dropped]:
    relation = HYPERTABLES[name]
    chunks = connection.execute(CHUNKS, {"relation": relation, "days": days}).fetchall()
    if not any(old for _, _, old in chunks[:-1]):
        return []
    newest = sql.SQL("SELECT max(time) - make_interval(secs => %s * 86400) FROM {} WHERE time >= %s")
    limit = connection.execute(newest.format(sql.Identifier(relation)), (days, chunks[-1][0])).fetchone()
    if limit is None or limit[0] is None:
        return []
    gone = []
    for start, end, old in chunks:
        if old and end <= limit[0]:
            with connection.transaction():
                connection.execute(PATIENCE)
                if name == "outcomes":
                    connection.execute("SELECT archive_scores(%s)", (end,))
                connection.execute("SELECT drop_old_chunks(%s, %s, %s)", (relation, end, start))
            gone.append(end)
    return [Dropped(name, max(gone), len(gone), "chunks")] if gone else []


def _delete(connection: Connection, name: str, days: float) -> list[Dropped]:
    row = connection.execute(LIMIT[name], {"days": days}).fetchone()
    if row is None or row[0] is None:
        return []
    with connection.transaction():
        connection.execute(PATIENCE)
        count = sum(connection.execute(one, {"before": row[0]}).rowcount for one in DELETES[name])
    return [Dropped(name, row[0], count, "rows")] if count else []

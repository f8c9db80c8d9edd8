"""The stored dead letters, and users' decisions about them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import class_row

State = Literal["new", "retried", "dropped"]


class LetterPlace(Struct, frozen=True):
    """The place of dead letters: a Kafka record, or one row in it."""

    topic: str
    partition: int
    offset: int
    row: int | None = None

    def __str__(self) -> str:
        row = "" if self.row is None else f"/{self.row}"
        return f"{self.topic}/{self.partition}/{self.offset}{row}"


class Group(Struct, frozen=True, kw_only=True):
    """The dead letters of one topic with one reason; `newest` names the last of them."""

    topic: str
    reason: str
    state: State
    letters: int
    last: datetime
    newest: str


class StoredDeadLetter(Struct, frozen=True, kw_only=True):
    """One dead letter: the columns of the table."""

    topic: str
    partition: int
    offset: int
    row: int
    reason: str
    value: bytes
    key: bytes | None
    time: datetime
    size: int | None
    state: State
    decided_at: datetime | None


GROUPS = """
SELECT topic, reason, state, count(*)::int8 AS letters, max(time) AS last,
    (array_agg(concat_ws('/', topic, "partition", "offset", "row") ORDER BY time DESC, "offset" DESC, "row" DESC))[1]
    AS newest
FROM dead_letters
WHERE (%(topic)s::text IS NULL OR topic = %(topic)s) AND (%(state)s::text IS NULL OR state = %(state)s)
    AND (%(reason)s::text IS NULL OR position(lower(%(reason)s) IN lower(reason)) > 0)
GROUP BY topic, reason, state ORDER BY last DESC, topic, reason LIMIT %(most)s
"""
LETTERS = """
SELECT topic, "partition", "offset", "row", reason, value, key, time, size, state, decided_at FROM dead_letters
WHERE topic = %s AND "partition" = %s AND "offset" = %s AND (%s::int8 IS NULL OR "row" = %s::int8) ORDER BY "row"
"""
DECIDE = """
UPDATE dead_letters SET state = %s, decided_at = now()
WHERE topic = %s AND "partition" = %s AND "offset" = %s AND "row" = %s
"""


def groups(
    connection: Connection, topic: str | None, reason: str | None, state: State | None, most: int
) -> list[Group]:
    """Return the dead letters by topic and reason, the newest first; `reason` is a part of it."""
    asked = {"topic": topic, "reason": reason, "state": state, "most": most}
    with connection.cursor(row_factory=class_row(Group)) as cursor:
        return cursor.execute(GROUPS, asked).fetchall()


def letters(connection: Connection, place: LetterPlace) -> list[StoredDeadLetter]:
    """Return the dead letters of a place, by row."""
    with connection.cursor(row_factory=class_row(StoredDeadLetter)) as cursor:
        asked = (place.topic, place.partition, place.offset, place.row, place.row)
        return cursor.execute(LETTERS, asked).fetchall()


def decide(connection: Connection, some: Sequence[StoredDeadLetter], state: State) -> None:
    """Record a decision about dead letters."""
    with connection.cursor() as cursor:
        cursor.executemany(DECIDE, [(state, one.topic, one.partition, one.offset, one.row) for one in some])

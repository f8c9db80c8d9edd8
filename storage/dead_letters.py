"""The stored dead letters, and users' decisions about them."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import class_row

State = Literal["new", "retried", "dropped"]


class LetterPlace(Struct, frozen=True):
    """The place of dead letters: a Kafka record, or one row in it. A record of the Kafka before a restored backup has
    the offset -1 - its own."""

    topic: str
    partition: int
    offset: int
    row: int | None = None

    def __str__(self) -> str:
        row = "" if self.row is None else f"/{self.row}"
        return f"{self.topic}/{self.partition}/{self.offset}{row}"


def place_of(name: str) -> LetterPlace:
    """Return the place that a name has: ``TOPIC/PARTITION/OFFSET[/ROW]``. Raises ValueError for any other text.

    >>> place_of("bars/0/17/3")
    LetterPlace(topic='bars', partition=0, offset=17, row=3)
    """
    parts = re.fullmatch(r"(.+?)/([0-9]{1,9})/(-?[0-9]{1,18})(?:/([0-9]{1,9}))?", name)
    if parts is None:
        raise ValueError(f"{name!r} is no dead letter's name: TOPIC/PARTITION/OFFSET[/ROW], such as bars/0/17/3")
    topic, partition, offset, row = parts.groups()
    return LetterPlace(topic, int(partition), int(offset), None if row is None else int(row))


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

    @property
    def place(self) -> LetterPlace:
        """Return its own place, whose text is its name."""
        return LetterPlace(self.topic, self.partition, self.offset, self.row)

    @property
    def whole(self) -> bool:
        """Return whether it has all bytes of its value."""
        return self.size is None or self.size == len(self.value)


class Resend(Struct, frozen=True, kw_only=True):
    """That a letter was sent again: `value` and `key` are the corrected ones, None where its own were sent."""

    time: datetime
    who: str
    reason: str
    value: bytes | None
    key: bytes | None


GROUPS = """
SELECT topic, reason, state, count(*)::int8 AS letters, max(time) AS last,
    (array_agg(concat_ws('/', topic, "partition", "offset", "row") ORDER BY time DESC, "offset" DESC, "row" DESC))[1]
    AS newest
FROM dead_letters
WHERE (%(topic)s::text IS NULL OR topic = %(topic)s) AND (%(state)s::text IS NULL OR state = %(state)s)
    AND (%(reason)s::text IS NULL OR position(lower(%(reason)s) IN lower(reason)) > 0)
GROUP BY topic, reason, state ORDER BY last DESC, topic, reason LIMIT %(most)s
"""
COLUMNS = 'topic, "partition", "offset", "row", reason, value, key, time, size, state, decided_at'
LETTERS = f"""
SELECT {COLUMNS} FROM dead_letters
WHERE topic = %s AND "partition" = %s AND "offset" = %s AND (%s::int8 IS NULL OR "row" = %s::int8) ORDER BY "row"
"""  # noqa: S608 - the columns are ours
OF_GROUP = f"""
SELECT {COLUMNS} FROM dead_letters
WHERE state = %(state)s AND topic = %(topic)s AND reason = %(reason)s ORDER BY time, "partition", "offset", "row"
LIMIT %(most)s
"""  # noqa: S608 - likewise
SENT_AGAIN = """
INSERT INTO dead_letter_resends (topic, "partition", "offset", "row", who, reason, value, key)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
RESENDS = """
SELECT time, who, reason, value, key FROM dead_letter_resends
WHERE topic = %s AND "partition" = %s AND "offset" = %s AND "row" = %s ORDER BY number
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


def of_group(connection: Connection, topic: str, reason: str, state: State, most: int) -> list[StoredDeadLetter]:
    """Return the dead letters of a topic with exactly that reason, the oldest first."""
    with connection.cursor(row_factory=class_row(StoredDeadLetter)) as cursor:
        asked = {"topic": topic, "reason": reason, "state": state, "most": most}
        return cursor.execute(OF_GROUP, asked).fetchall()


def sent_again(
    connection: Connection, some: Sequence[StoredDeadLetter], who: str, why: str, value: bytes | None, key: bytes | None
) -> None:
    """Record that letters were sent again; `value` and `key` are what was sent instead of their own."""
    with connection.transaction(), connection.cursor() as cursor:
        rows = [(one.topic, one.partition, one.offset, one.row, who, why, value, key) for one in some]
        cursor.executemany(SENT_AGAIN, rows)
        decide(connection, some, "retried")


def resends(connection: Connection, letter: StoredDeadLetter) -> list[Resend]:
    """Return when and how a letter was sent again, the oldest first."""
    asked = (letter.topic, letter.partition, letter.offset, letter.row)
    with connection.cursor(row_factory=class_row(Resend)) as cursor:
        return cursor.execute(RESENDS, asked).fetchall()

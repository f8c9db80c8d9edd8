"""The advisory locks that Foretick takes in PostgreSQL: a name for each purpose, and the number made of it.

A lock belongs to one session (or one transaction) on one database, and is gone with it, whatever ended it. Every lock
is taken here, so that two purposes cannot share a number.
"""

from enum import StrEnum
from hashlib import blake2b

from psycopg import AsyncConnection, Connection

TRY = "SELECT pg_try_advisory_lock(%s)"
WAIT = "SELECT pg_advisory_lock(%s)"
WAIT_IN_TRANSACTION = "SELECT pg_advisory_xact_lock(%s)"


class Lock(StrEnum):
    """What is done by one process at a time."""

    MIGRATION = "migration"
    ALERTS = "alerts"
    WATCH = "watch"
    STUDY = "study"
    """The claim of a trial, in any study."""
    RUN_REQUEST = "run request"
    RUN = "run"
    """The work on one run of the pipeline, which is named by its id."""


def number(lock: Lock, of: str = "") -> int:
    """Return the number of a lock, a signed integer of 64 bits; `of` names what is locked where there are several.

    Every version of Foretick must come to the same, hence a hash that is stated here, not PostgreSQL's own.
    """
    return int.from_bytes(blake2b(f"foretick/{lock}/{of}".encode(), digest_size=8).digest(), "big", signed=True)


def taken(connection: Connection, lock: Lock, of: str = "") -> bool:
    """Take a lock for the session, and tell whether it was free."""
    return connection.execute(TRY, (number(lock, of),)).fetchone() == (True,)


async def taken_async(connection: AsyncConnection, lock: Lock) -> bool:
    """Take a lock for the session, and tell whether it was free."""
    return await (await connection.execute(TRY, (number(lock),))).fetchone() == (True,)


def wait(connection: Connection, lock: Lock) -> None:
    """Take a lock for the session once it is free."""
    connection.execute(WAIT, (number(lock),))


def wait_in_transaction(connection: Connection, lock: Lock) -> None:
    """Take a lock until the transaction ends, once it is free."""
    connection.execute(WAIT_IN_TRANSACTION, (number(lock),))

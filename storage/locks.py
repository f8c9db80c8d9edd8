"""The advisory locks that Foretick takes in PostgreSQL: a name for each purpose, and the number made of it.

A lock belongs to one session (or one transaction) on one database, and is released with it, whatever ended it. Every
lock is taken here, so that two purposes cannot share a number.
"""

from enum import StrEnum
from hashlib import blake2b

from psycopg import AsyncConnection, Connection
from psycopg.conninfo import make_conninfo

TRY = "SELECT pg_try_advisory_lock(%s)"
WAIT = "SELECT pg_advisory_lock(%s)"
HELD = """
SELECT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::int8 << 32) | objid::int8 = %s
)
"""
KEEPING = """
SELECT set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false)
"""
"""A server that gets no packets from a holder's machine for 25 s ends the session: its default is two hours, for which
a standby would wait in vain."""
WAIT_IN_TRANSACTION = "SELECT pg_advisory_xact_lock(%s)"


class Lock(StrEnum):
    """What only one process may do at a time."""

    MIGRATION = "migration"
    ALERTS = "alerts"
    WATCH = "watch"
    STUDY = "study"
    """The claim of a trial, in any study."""
    RETENTION = "retention"
    """The dropping of what the tables keep no longer."""
    RUN_REQUEST = "run request"
    RUN = "run"
    """The work on one run of the pipeline, which is named by its id."""


def number(lock: Lock, of: str = "") -> int:
    """Return the number of a lock, a signed integer of 64 bits; `of` names what is locked where there are several.

    Every version of Foretick must compute the same, hence a hash defined here, not PostgreSQL's own.
    """
    return int.from_bytes(blake2b(f"foretick/{lock}/{of}".encode(), digest_size=8).digest(), "big", signed=True)


def keepalive_url(url: str) -> str:
    """Return the address for a connection that holds a lock: it detects within half a minute that the server's machine
    is lost. Raises psycopg.ProgrammingError where the address cannot be read.
    """
    return make_conninfo(url, keepalives_idle=10, keepalives_interval=5, keepalives_count=3, tcp_user_timeout=25_000)


def try_lock(connection: Connection, lock: Lock, of: str = "") -> bool:
    """Take a lock for the session, and return whether it was free."""
    free = connection.execute(TRY, (number(lock, of),)).fetchone() == (True,)
    if free:
        connection.execute(KEEPING)
    return free


def is_locked(connection: Connection, lock: Lock, of: str = "") -> bool:
    """Return whether some session has a lock, without taking it."""
    return connection.execute(HELD, (number(lock, of),)).fetchone() == (True,)


async def try_lock_async(connection: AsyncConnection, lock: Lock) -> bool:
    """Take a lock for the session, and return whether it was free."""
    free = await (await connection.execute(TRY, (number(lock),))).fetchone() == (True,)
    if free:
        await connection.execute(KEEPING)
    return free


def wait(connection: Connection, lock: Lock) -> None:
    """Take a lock for the session once it is free."""
    connection.execute(KEEPING)
    connection.execute(WAIT, (number(lock),))


def wait_in_transaction(connection: Connection, lock: Lock) -> None:
    """Take a lock until the transaction ends, once it is free."""
    connection.execute(WAIT_IN_TRANSACTION, (number(lock),))

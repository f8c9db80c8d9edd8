"""The advisory locks that Foretick takes in PostgreSQL: a name for each purpose, and the number made of it.

A lock belongs to one session (or one transaction) on one database, and is gone with it, whatever ended it. Every lock
is taken here, so that two purposes cannot share a number.
"""

from enum import StrEnum
from hashlib import blake2b

from psycopg import AsyncConnection, Connection
from psycopg.conninfo import make_conninfo

TRY = "SELECT pg_try_advisory_lock(%s)"
WAIT = "SELECT pg_advisory_lock(%s)"
KEEPING = """
SELECT set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false)
"""
"""A server that hears nothing of a holder's machine for 25 s ends the session: its default is two hours, in which
whoever stands by would wait for nobody."""
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


def kept(url: str) -> str:
    """Return the address for a connection that is to hold a lock: it notices within half a minute that the server's
    machine is gone. Raises psycopg.ProgrammingError where the address cannot be read.
    """
    return make_conninfo(url, keepalives_idle=10, keepalives_interval=5, keepalives_count=3, tcp_user_timeout=25_000)


def taken(connection: Connection, lock: Lock, of: str = "") -> bool:
    """Take a lock for the session, and tell whether it was free."""
    free = connection.execute(TRY, (number(lock, of),)).fetchone() == (True,)
    if free:
        connection.execute(KEEPING)
    return free


async def taken_async(connection: AsyncConnection, lock: Lock) -> bool:
    """Take a lock for the session, and tell whether it was free."""
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

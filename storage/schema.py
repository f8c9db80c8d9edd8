"""What a database's schema lacks of this version's, or has beyond it."""

from dataclasses import dataclass

import psycopg

from storage.errors import StorageError, place, reason
from storage.timescale import CONNECT, MIGRATIONS, applied


@dataclass(frozen=True)
class SchemaState:
    """The names of migrations: those that are applied, those to come, and those that this version does not know."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    unknown: tuple[str, ...]


def schema_state(url: str) -> SchemaState:
    """Return the state of a database's schema; nothing is applied where there is none. Changes nothing.

    Raises StorageError if the database cannot be reached or refuses.
    """
    ours = {path.stem for path in MIGRATIONS.glob("[0-9]*.sql")}
    try:
        with psycopg.connect(url, autocommit=True, **CONNECT) as connection:
            done = applied(connection)
    except psycopg.Error as error:
        raise StorageError(f"the schema at {place(url)} could not be read: {reason(error)}") from None
    return SchemaState(tuple(sorted(done & ours)), tuple(sorted(ours - done)), tuple(sorted(done - ours)))

"""What the tables of a database hold, to be compared with those of another."""

import hashlib

import psycopg
from psycopg import sql

from stack.backup import tables


def contents(url: str) -> dict[str, tuple[int, str]]:
    """Return the number of rows of each table, and a hash of them in order."""
    with psycopg.connect(url) as connection:
        found = {}
        for name in tables.tables(connection):
            query = sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(tables.identifier(name))
            lines = [line for (line,) in connection.execute(query)]
            found[name] = len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()
        return found

"""Connections to TimescaleDB for reading."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection
from psycopg_pool import ConnectionPool

OPTIONS = "-c statement_timeout=10000 -c default_transaction_read_only=on -c jit=off -c timezone=UTC"
CONNECTIONS, WAIT_S = 6, 5.0
"""The database allows sixty, and the stack needs most of them."""


class Database:
    """A few connections, shared. `rows` may be called from any thread."""

    def __init__(self, url: str) -> None:
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            kwargs={"options": OPTIONS, "autocommit": True},
            min_size=0,
            max_size=CONNECTIONS,
            timeout=WAIT_S,
            check=ConnectionPool.check_connection,  # the server may have been restarted since the last query
            open=False,
        )

    def open(self) -> None:
        """Start; a server that does not answer is detected with the first query."""
        self._pool.open()

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def rows(self, query: Any, parameters: dict[str, Any]) -> Sequence[Sequence[Any]]:
        """Return the rows of a query. Raises psycopg.Error or PoolTimeout."""
        with self._pool.connection() as connection:
            return connection.execute(query, parameters).fetchall()

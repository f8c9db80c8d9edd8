"""An empty database for a test that tunes, on the session's TimescaleDB."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from stacks import Servers, drop_database


@contextmanager
def empty_database(servers: Servers, test: str) -> Iterator[str]:
    """Yield the URL of a database that is dropped afterwards."""
    name = f"tuning_{abs(hash(test))}"
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield urlsplit(servers.database_url)._replace(path=f"/{name}").geturl()
        drop_database(connection, name)

"""A database of its own for each module that asks, on the session's TimescaleDB."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from stacks import drop_database

from storage.timescale import migrate


@pytest.fixture
def empty_database(servers: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    yield from new_database(servers.database_url, f"empty_{abs(hash(request.node.nodeid))}")


@pytest.fixture(scope="module")
def database(servers: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with the schema."""
    for url in new_database(servers.database_url, f"storage_{abs(hash(request.node.nodeid))}"):
        migrate(url)
        yield url


def new_database(url: str, name: str) -> Iterator[str]:
    """Create a database, yield its URL, and drop it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
        drop_database(connection, name)

"""An MLflow on a database of its own in the session's TimescaleDB."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from stacks import Servers, drop_database, running

from storage.timescale import migrate


@pytest.fixture(scope="session")
def mlflow_server(servers: Servers) -> Iterator[Servers]:
    """The stack whose only component is MLflow, with the schema made by the migrations."""
    name = f"learning_{os.getpid()}"
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = urlsplit(servers.database_url)._replace(path=f"/{name}").geturl()
        migrate(url)
        with running(("mlflow",), environment={"FORETICK_DATABASE_URL": url}) as result:
            yield result
        drop_database(connection, name)

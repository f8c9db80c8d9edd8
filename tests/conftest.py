"""The real Kafka, TimescaleDB and Redis for the tests marked `services`: started once a session, stopped at its end."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from stacks import Servers, drop_database, running

from storage.timescale import migrate

OVER_A_SECOND = Path(__file__).with_name("over_a_second.txt")
"""The tests without servers that took over a second, as measured: `--fast` leaves them out."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as slow what takes over a second, which `--fast` leaves out, and put the long files first where files run
    side by side: at the end only short ones are then left to wait for.
    """
    slow = set(OVER_A_SECOND.read_text().splitlines())
    for item in items:
        if item.nodeid.removeprefix("tests/").partition("[")[0] in slow:
            item.add_marker(pytest.mark.slow)
    if hasattr(config, "workerinput"):
        chaos, services = (
            {item.path for item in items if item.get_closest_marker(marker)} for marker in ("chaos", "services")
        )
        items.sort(key=lambda item: (item.path not in chaos, item.path not in services))


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Start the servers on free ports, in a folder that is removed afterwards."""
    with running(("kafka", "postgres", "redis")) as result:
        yield result


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

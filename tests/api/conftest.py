"""Databases with minutes and forecasts, and servers of the API on them."""

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from api_market import MINUTES, Api, Market, serving
from psycopg import sql
from stacks import drop_database

from storage.timescale import migrate
from stream.admin import create_topics

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def kafka(servers: Any) -> str:
    """The session's Kafka, with all topics."""
    create_topics(servers.kafka)
    return str(servers.kafka)


@pytest.fixture(scope="module")
def new_market(servers: Any) -> Iterator[Callable[[], Market]]:
    """Make databases of their own on the session's TimescaleDB, with the schema and no row."""
    names = []
    with psycopg.connect(servers.database_url, autocommit=True) as connection:

        def make() -> Market:
            name = f"api_{os.getpid()}_{next(numbers)}"
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            names.append(name)
            url = urlsplit(servers.database_url)._replace(path=f"/{name}").geturl()
            migrate(url)
            return Market(url)

        yield make
        for name in names:
            drop_database(connection, name)


@pytest.fixture(scope="module")
def market(new_market: Callable[[], Market]) -> Market:
    """A database with `MINUTES` minutes of two symbols."""
    market = new_market()
    market.write(MINUTES)
    market.acknowledge("up-BTCUSDT-20", "seen")
    market.acknowledge("up-ETHUSDT-40", "mine")
    market.deploy("gbm", 1, "v0")
    market.deploy("gbm", 2, "v1")
    return market


@pytest.fixture(scope="module")
def api(market: Market, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API on `market`."""
    home = tmp_path_factory.mktemp("api")
    with serving(market.url, kafka, home, api_rate="100000", api_burst="100000") as found:
        yield found

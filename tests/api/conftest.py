"""Databases with minutes and forecasts, and servers of the API on them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from api_market import LOST, MINUTES, Api, Market, serving
from stacks import databases

from broker.admin import create_topics
from broker.data_loss import gap
from topics.catalog import GAPS


@pytest.fixture(scope="session")
def kafka(servers: Any) -> str:
    """The session's Kafka, with all topics."""
    create_topics(servers.broker)
    return str(servers.kafka)


@pytest.fixture(scope="module")
def new_market(servers: Any) -> Iterator[Callable[[], Market]]:
    """Make databases of their own on the session's TimescaleDB, with the schema and no row."""
    with databases(servers, "api") as make:
        yield lambda: Market(make())


@pytest.fixture(scope="module")
def market(new_market: Callable[[], Market]) -> Market:
    """A database with `MINUTES` minutes of two symbols, and a reader's loss."""
    market = new_market()
    market.write(MINUTES)
    market.store({GAPS: [gap("reader", LOST)]})
    market.acknowledge("up-BTCUSDT-20", "seen")
    market.acknowledge("up-ETHUSDT-40", "mine")
    market.deploy("gbm", 1, "v0")
    market.deploy("gbm", 2, "v1")
    return market


@pytest.fixture(scope="module")
def api(market: Market, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API on `market`."""
    home = tmp_path_factory.mktemp("api")
    with serving(market.url, kafka, home, api_rate="100000", api_burst="100000") as result:
        yield result

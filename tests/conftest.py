"""The real Kafka, TimescaleDB and Redis for the tests marked `services`: started once a session, stopped at its end."""

from collections.abc import Iterator

import pytest
from stacks import Servers, running


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Start the servers on free ports, in a folder that is removed afterwards."""
    with running(("kafka", "postgres", "redis")) as found:
        yield found

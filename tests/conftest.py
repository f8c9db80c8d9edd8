"""The real Kafka, TimescaleDB and Redis for the tests marked `services`: started once a session, stopped at its end."""

from collections.abc import Iterator

import pytest
from stacks import Servers, running


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the long files first where files run side by side: at the end only short ones are then left to wait for."""
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

"""A broker for the small workers of each test, empty at its beginning."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_workers import Workers
from stacks import running

from broker.admin import create_topics


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    """Give workers on a broker of their own."""
    with running(("kafka",)) as servers:
        create_topics(servers.broker)
        result = Workers(kafka=servers.broker, open=servers.kafka, home=tmp_path)
        try:
            yield result
        finally:
            result.stop()

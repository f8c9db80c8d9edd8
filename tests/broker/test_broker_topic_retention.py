"""Kafka keeps each topic as long as is set, from its creation on and after a change; what else is set there stays."""

import asyncio
import logging
import time
from typing import Any

import pytest
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from stacks import Servers

from broker.admin import create_topics
from broker.topic_retention import kept_days, retention_ms, set_retention
from settings.broker import Address
from stack.topic_lag import admin_client
from topics.catalog import MODELS
from topics.retention import TOPIC_DAYS

pytestmark = pytest.mark.services

NAME, WAIT_S = "years", 20.0


def asked(address: Address, do: Any) -> Any:
    async def run() -> Any:
        async with admin_client(address) as admin:
            return await do(admin)

    return asyncio.run(run())


def kept(servers: Servers, *names: str) -> dict[str, float | None]:
    result: dict[str, float | None] = asked(servers.broker, lambda admin: kept_days(admin, names))
    return result


def becomes(servers: Servers, wanted: dict[str, float | None]) -> bool:
    """Wait until the topics are kept so: the broker takes over what its controller has accepted a moment later."""
    deadline = time.monotonic() + WAIT_S
    while kept(servers, *wanted) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return kept(servers, *wanted) == wanted


@pytest.fixture
def topic(servers: Servers) -> str:
    """A topic with two settings of its own."""
    made = NewTopic(NAME, 1, 1, topic_configs={"retention.ms": "1000", "segment.bytes": "2000000"})
    asked(servers.broker, lambda admin: admin.create_topics([made]))
    until = time.monotonic() + WAIT_S
    while not kept(servers, NAME) and time.monotonic() < until:
        time.sleep(0.1)
    return NAME


def test_the_topics_are_kept_as_long_as_is_set_whether_they_are_new_or_not(servers: Servers) -> None:
    create_topics(servers.broker, days={**TOPIC_DAYS, "gaps": 3.0})
    assert becomes(servers, {**TOPIC_DAYS, "gaps": 3.0})
    create_topics(servers.broker, days={**TOPIC_DAYS, "gaps": 4.5, "drift": None})
    assert becomes(servers, {**TOPIC_DAYS, "gaps": 4.5, "drift": None})
    create_topics(servers.broker, days=TOPIC_DAYS)
    create_topics(servers.broker)  # without any nothing is changed
    assert becomes(servers, dict(TOPIC_DAYS))
    assert MODELS.name not in kept(servers, MODELS.name)  # a compacted one has no such time


def test_only_the_retention_of_a_topic_is_changed(servers: Servers, topic: str) -> None:
    changed = asked(servers.broker, lambda admin: set_retention(admin, {topic: 2.0, "nowhere": 1.0}))
    assert changed == [topic]
    assert becomes(servers, {topic: 2.0})
    assert asked(servers.broker, lambda admin: set_retention(admin, {topic: 2.0})) == []
    resource = [ConfigResource(ConfigResourceType.TOPIC, topic)]
    (response,) = asked(servers.broker, lambda admin: admin.describe_configs(resource))
    own = {entry[0]: entry[1] for entry in response.resources[0][4] if entry[3] == 1}
    assert own == {"retention.ms": str(2 * 86_400_000), "segment.bytes": "2000000"}
    assert (retention_ms(None), retention_ms(0.5)) == (-1, 43_200_000)


def test_a_kafka_that_refuses_keeps_its_own_and_that_is_said(
    servers: Servers, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = kept(servers, topic)
    with caplog.at_level(logging.WARNING, "foretick"):
        # by the open listener, whose user may change nothing
        assert asked(servers.kafka, lambda admin: set_retention(admin, {topic: 9.0})) == []
    (record,) = caplog.records
    assert record.getMessage().startswith(f"Kafka does not let us set how long it keeps the topic {topic}")
    assert kept(servers, topic) == before

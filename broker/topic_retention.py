"""How long Kafka keeps the records of each topic: read from it, and set where it is not what the settings say."""

import logging
from collections.abc import Collection, Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from topics.catalog import DAY_MS, FOREVER
from topics.retention import said

log = logging.getLogger("foretick")

RETENTION, POLICY = "retention.ms", "cleanup.policy"
OWN = 1
"""The source of a setting that is the topic's own, and not the broker's default."""


def retention_ms(days: float | None) -> int:
    """Return Kafka's value."""
    return FOREVER if days is None else max(1, round(days * DAY_MS))


async def kept_days(admin: AIOKafkaAdminClient, topics: Collection[str]) -> dict[str, float | None]:
    """Return how long Kafka keeps the records of each topic that exists and is not compacted; None is for ever.

    Raises KafkaError.
    """
    found = await _settings(admin, topics)
    return {
        topic: None if int(values[RETENTION][0]) < 0 else int(values[RETENTION][0]) / DAY_MS
        for topic, values in found.items()
        if values[POLICY][0] == "delete"
    }


async def set_retention(admin: AIOKafkaAdminClient, days: Mapping[str, float | None]) -> list[str]:
    """Set the retention of the topics where Kafka's is another, and return their names.

    Where Kafka refuses, as a cluster may whose topics are not ours to change, it keeps its own, and that is logged.
    Raises KafkaError.
    """
    found = await _settings(admin, days)
    different = [
        topic
        for topic, values in found.items()
        if values[POLICY][0] == "delete" and int(values[RETENTION][0]) != retention_ms(days[topic])
    ]
    if not different:
        return []
    resources = []
    for topic in different:
        # This request replaces all of a topic's own settings.
        own = {name: value for name, (value, source) in found[topic].items() if source == OWN}
        own[RETENTION] = str(retention_ms(days[topic]))
        resources.append(ConfigResource(ConfigResourceType.TOPIC, topic, configs=own))
    answers = [entry for response in await admin.alter_configs(resources) for entry in response.resources]
    changed = []
    for code, message, _, topic in answers:
        if code:
            why = message or for_code(code).__name__
            log.warning("Kafka does not let us set how long it keeps the topic %s, and keeps its own: %s", topic, why)
        else:
            log.info("Kafka keeps the records of %s for %s", topic, said(days[topic]))
            changed.append(topic)
    return sorted(changed)


async def _settings(admin: AIOKafkaAdminClient, topics: Collection[str]) -> dict[str, dict[str, tuple[Any, int]]]:
    """Return the value and source of every setting of each topic that exists."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
    found: dict[str, dict[str, tuple[Any, int]]] = {}
    for response in await admin.describe_configs(asked) if asked else ():
        for code, message, _, topic, entries in response.resources:
            if code == 3:  # unknown topic: not created yet
                continue
            if code:
                raise for_code(code)(message)
            found[topic] = {entry[0]: (entry[1], entry[3]) for entry in entries}
    return found

"""Creates the topics of the catalog, and the changelogs of the worker's states."""

import asyncio
import logging
from collections.abc import Mapping

from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError

from broker import clients
from broker.topic_retention import RETENTION, retention_ms, set_retention
from settings.broker import Address
from topics.catalog import BARS, CROSS_SECTION, FEATURES, PREDICTIONS, TICKS, TOPICS, WORKER_GROUP, Topic

log = logging.getLogger("foretick")

STATES = {"bars": TICKS, "market": CROSS_SECTION, "features": BARS, "predictions": FEATURES, "outcomes": PREDICTIONS}
"""The stages whose states the worker keeps, each in a table whose changelog has as many partitions as the topic
here."""
CHANGELOG = {
    "cleanup.policy": "compact",
    # States are replaced often: with small segments Kafka can drop old ones soon.
    "segment.bytes": "33554432",
    "max.compaction.lag.ms": "60000",
}


def changelog(state: str) -> str:
    """Return the changelog from which Faust restores the states of a stage at its start."""
    return f"{WORKER_GROUP}-{state}-state-changelog"


def _config(topic: Topic, days: Mapping[str, float | None]) -> dict[str, str]:
    own = {RETENTION: str(retention_ms(days[topic.name]))} if topic.name in days else {}
    return topic.config() | own


async def _create(bootstrap: Address, replication: int, days: Mapping[str, float | None]) -> list[str]:
    admin = clients.admin(bootstrap)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        wanted = [NewTopic(t.name, t.partitions, replication, topic_configs=_config(t, days)) for t in TOPICS]
        # Faust would create these at its start, and sometimes continue without one that is not in its metadata yet.
        wanted += [
            NewTopic(changelog(state), source.partitions, replication, topic_configs=CHANGELOG)
            for state, source in STATES.items()
        ]
        missing = [topic for topic in wanted if topic.name not in existing]
        if missing:
            response = await admin.create_topics(missing)
            for name, code, message in (entry[:3] for entry in response.topic_errors):
                if code not in (0, 36):  # 36: created by another process since the listing
                    raise RuntimeError(f"Kafka at {bootstrap} did not create the topic {name}: {message}")
        try:
            await set_retention(admin, {name: kept for name, kept in days.items() if name in existing})
        except KafkaError as error:  # a cluster that lets us neither ask nor set
            log.warning("how long Kafka keeps the topics stays as it is: %s", error)
        return [topic.name for topic in missing]
    finally:
        await admin.close()


def create_topics(
    bootstrap: Address, replication: int = 1, days: Mapping[str, float | None] | None = None
) -> list[str]:
    """Create the missing topics and return their names; of existing ones only the retention is changed, to that of
    `days` by topic.

    Raises RuntimeError with the broker's answer if it refuses to create one.
    """
    return asyncio.run(_create(bootstrap, replication, days or {}))

"""Creates the topics of the catalog, and those of the worker's states, once."""

import asyncio

from aiokafka.admin import NewTopic

from settings.broker import Address
from sources import broker
from topics.catalog import BARS, CROSS_SECTION, FEATURES, PREDICTIONS, TICKS, TOPICS, WORKER_GROUP

STATES = {"bars": TICKS, "market": CROSS_SECTION, "features": BARS, "predictions": FEATURES, "outcomes": PREDICTIONS}
"""The stages whose states the worker keeps, each in a table with a changelog topic as finely cut as the topic here."""
CHANGELOG = {
    "cleanup.policy": "compact",
    # States are replaced again and again: small segments let Kafka drop the old ones soon.
    "segment.bytes": "33554432",
    "max.compaction.lag.ms": "60000",
}


def changelog(state: str) -> str:
    """Return the topic that Faust reads the states of a stage from after a start."""
    return f"{WORKER_GROUP}-{state}-state-changelog"


async def _create(bootstrap: Address, replication: int) -> list[str]:
    admin = broker.admin(bootstrap)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        wanted = [NewTopic(t.name, t.partitions, replication, topic_configs=t.config()) for t in TOPICS]
        # Faust would create these at its start, and now and then go on without one that it has not heard of yet.
        wanted += [
            NewTopic(changelog(state), source.partitions, replication, topic_configs=CHANGELOG)
            for state, source in STATES.items()
        ]
        missing = [topic for topic in wanted if topic.name not in existing]
        if missing:
            response = await admin.create_topics(missing)
            for name, code, message in (entry[:3] for entry in response.topic_errors):
                if code not in (0, 36):  # 36: created by somebody else between the listing and now
                    raise RuntimeError(f"Kafka at {bootstrap} did not create the topic {name}: {message}")
        return [topic.name for topic in missing]
    finally:
        await admin.close()


def create_topics(bootstrap: Address, replication: int = 1) -> list[str]:
    """Create the topics that are missing and return their names; those that exist are left as they are.

    Raises RuntimeError with the broker's answer where it refuses.
    """
    return asyncio.run(_create(bootstrap, replication))

"""Creates the topics of the catalog, once."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from topics.catalog import TOPICS, Topic


async def _create(bootstrap: str, replication: int) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing: list[Topic] = [topic for topic in TOPICS if topic.name not in existing]
        if missing:
            new = [
                NewTopic(topic.name, topic.partitions, replication, topic_configs=topic.config()) for topic in missing
            ]
            response = await admin.create_topics(new)
            for name, code, message in (entry[:3] for entry in response.topic_errors):
                if code not in (0, 36):  # 36: created by somebody else between the listing and now
                    raise RuntimeError(f"Kafka at {bootstrap} did not create the topic {name}: {message}")
        return [topic.name for topic in missing]
    finally:
        await admin.close()


def create_topics(bootstrap: str, replication: int = 1) -> list[str]:
    """Create the topics that are missing and return their names; those that exist are left as they are.

    Raises RuntimeError with the broker's answer where it refuses.
    """
    return asyncio.run(_create(bootstrap, replication))

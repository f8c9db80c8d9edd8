"""How large the states of the symbols are, by stage: the newest of each key on the changelogs."""

from collections import defaultdict

from aiokafka import TopicPartition

from broker.reader import between, reader
from settings.broker import Address
from topics.catalog import TICKS, WORKER_GROUP

STAGES = ("bars", "features", "predictions", "outcomes")


async def state_bytes(kafka: Address) -> dict[str, int]:
    """Return the bytes of all states together, by stage."""
    newest: dict[str, dict[bytes, int]] = defaultdict(dict)
    for stage in STAGES:
        topic = f"{WORKER_GROUP}-{stage}-state-changelog"
        every = [TopicPartition(topic, number) for number in range(TICKS.partitions)]
        async with reader(kafka) as client:
            starts, ends = await client.beginning_offsets(every), await client.end_offsets(every)
            async for record in between(client, starts, ends):
                newest[stage][record.key or b""] = len(record.value or b"")
    return {stage: sum(newest[stage].values()) for stage in STAGES}

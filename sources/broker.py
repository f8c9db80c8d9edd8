"""The clients of Kafka: every one in the project is made here, so that each goes there as the user that is set."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from settings.broker import Address, at
from sources import fetched

fetched.install()


class Consumer(AIOKafkaConsumer):  # type: ignore[misc, unused-ignore]
    """A consumer that ends without cancelling whoever ends it.

    aiokafka 0.12 cancels a task of its own and waits for it; where that has not begun yet, as after a start that found
    no such topic, the cancellation becomes the caller's, whose task then ended without a word.
    """

    async def stop(self) -> None:
        """Let that task begin, then stop."""
        await asyncio.sleep(0)
        await super().stop()


def consumer(address: Address, *topics: str, **options: Any) -> AIOKafkaConsumer:
    """Return a consumer of topics, not yet started; `options` are aiokafka's."""
    return Consumer(*topics, **at(address).client(), **options)


def producer(address: Address, **options: Any) -> AIOKafkaProducer:
    """Return a producer with aiokafka's defaults, not yet started: `sources.producer` has one for records."""
    return AIOKafkaProducer(**at(address).client(), **options)


def admin(address: Address, **options: Any) -> AIOKafkaAdminClient:
    """Return an admin client, not yet started."""
    return AIOKafkaAdminClient(**at(address).client(), **options)

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

    aiokafka cancels tasks of its own and waits for them. Where one has not begun yet, as after a start that found no
    such topic, or waits to fetch again, as after Kafka went, its cancellation becomes that of the caller, whose task
    then ended without a word.
    """

    async def stop(self) -> None:
        """Stop in a task, so that only that one can be cancelled by aiokafka's; then close what it left open."""
        ending = asyncio.create_task(super().stop())
        await asyncio.wait({ending})
        if ending.cancelled():
            await asyncio.gather(self._fetcher.close(), return_exceptions=True)
            await self._client.close()
        else:
            await ending


def consumer(address: Address, *topics: str, **options: Any) -> AIOKafkaConsumer:
    """Return a consumer of topics, not yet started; `options` are aiokafka's."""
    return Consumer(*topics, **at(address).client(), **options)


def producer(address: Address, **options: Any) -> AIOKafkaProducer:
    """Return a producer with aiokafka's defaults, not yet started: `sources.producer` has one for records."""
    return AIOKafkaProducer(**at(address).client(), **options)


def admin(address: Address, **options: Any) -> AIOKafkaAdminClient:
    """Return an admin client, not yet started."""
    return AIOKafkaAdminClient(**at(address).client(), **options)

"""The clients of Kafka: every one in the project is made here, so that each goes there as the user that is set."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from broker import unreadable_batches
from broker.interface import Clients, ConsumerClient, ProducerClient
from settings.broker import Address, at

unreadable_batches.install()


class Consumer(AIOKafkaConsumer):  # type: ignore[misc, unused-ignore] # aiokafka has no types
    """A consumer that can be stopped without cancelling the caller.

    aiokafka cancels tasks of its own and waits for them. Where one has not begun yet, as after a start that found no
    such topic, or waits to fetch again, as after Kafka went, its cancellation becomes that of the caller, whose task
    then ended silently.
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


class Producer(AIOKafkaProducer):  # type: ignore[misc, unused-ignore] # aiokafka has no types
    """A producer whose start, where it fails or is cancelled, leaves nothing open; aiokafka's does."""

    async def start(self) -> None:
        """Connect."""
        try:
            await super().start()
        except BaseException:
            await self.stop()
            raise

    async def close(self) -> None:
        """Disconnect at once; what is not sent yet is given up."""
        await self.client.close()


def consumer(address: Address | Clients, *topics: str, **options: Any) -> ConsumerClient:
    """Return a consumer of topics, not yet started; `options` are aiokafka's. `reader` starts and closes one."""
    if isinstance(address, Clients):
        return address.consumer(*topics, **options)
    return Consumer(*topics, **at(address).client(), **options)


def producer(address: Address | Clients, **options: Any) -> ProducerClient:
    """Return a producer with aiokafka's defaults, not yet started: `broker.producer` has one for records."""
    if isinstance(address, Clients):
        return address.producer(**options)
    return Producer(**at(address).client(), **options)


def admin(address: Address | Clients, **options: Any) -> AIOKafkaAdminClient:
    """Return an admin client, not yet started."""
    if isinstance(address, Clients):
        return address.admin(**options)
    return AIOKafkaAdminClient(**at(address).client(), **options)

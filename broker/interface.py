"""What the reader and the writer ask of Kafka's clients: aiokafka's have it, and so has what stands in for Kafka."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord, RecordMetadata

Headers = Sequence[tuple[str, bytes]]
Delivery = asyncio.Future[RecordMetadata]
"""Done once every replica has the record, with where it is; it raises KafkaError where Kafka did not take it."""


class ProducerClient(Protocol):
    """Takes records in the order of the calls."""

    async def start(self) -> None:
        """Connect. Raises KafkaError."""

    async def stop(self) -> None:
        """Send what is left, and disconnect."""

    async def close(self) -> None:
        """Disconnect at once; what is not sent yet is given up."""

    async def send(
        self, topic: str, value: bytes | None = None, *, key: bytes | None = None, headers: Headers | None = None
    ) -> Delivery:
        """Hand a record over."""


class ConsumerClient(Protocol):
    """Gives records. Offsets are of the record that comes next; methods that ask Kafka raise KafkaError."""

    async def start(self) -> None:
        """Connect, and take all partitions of the topics that it was made with."""

    async def stop(self) -> None:
        """Disconnect."""

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Take these partitions."""

    def assignment(self) -> set[TopicPartition]:
        """Return the partitions that are read."""

    def subscribe(self, topics: Sequence[str], *, listener: Any = None) -> None:
        """Take the partitions that the group gives to this consumer; aiokafka's `listener` is told of them."""

    async def commit(self) -> None:
        """Have the group remember where this consumer is."""

    def unsubscribe(self) -> None:
        """Read nothing."""

    async def topics(self) -> set[str]:
        """Return the topics that there are."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read on from there."""

    async def seek_to_beginning(self, *partitions: TopicPartition) -> Any:
        """Read on from the first record that there is. The consumer must be made with auto_offset_reset="earliest".

        Else aiokafka, which may be asking for the end meanwhile, takes that answer for this one's, and nothing is read.
        """

    async def position(self, partition: TopicPartition) -> int:
        """Return the offset that is read next."""

    async def getone(self, *partitions: TopicPartition) -> ConsumerRecord:
        """Wait for a record."""

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Return what is there, once something is or the time has passed."""

    def __aiter__(self) -> AsyncIterator[ConsumerRecord]:
        """Give every record."""

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return where partitions begin."""

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return where they end."""


@runtime_checkable
class Clients(Protocol):
    """Makes clients that are not started yet; the options are aiokafka's."""

    def producer(self, **options: Any) -> ProducerClient:
        """Return a producer."""

    def consumer(self, *topics: str, **options: Any) -> ConsumerClient:
        """Return a consumer of topics."""

    def admin(self, **options: Any) -> Any:
        """Return an admin client, as aiokafka's."""

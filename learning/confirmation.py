"""What the workers say to a decision: whether they have loaded its champion, and from which bars on it serves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from learning.ledger import LedgerError
from settings.broker import Address
from sources import broker
from storage.errors import reason
from topics import codec
from topics.catalog import MODEL_EVENTS
from topics.records import Deployment, ModelEvent

T = TypeVar("T")

PARTITION = TopicPartition(MODEL_EVENTS.name, 0)


@dataclass
class Answer:
    """What was said of a decision's champion: the first worker's answer, None where none came, and each first bar."""

    said: ModelEvent | None = None
    serving: list[ModelEvent] = field(default_factory=list)

    def hear(self, event: ModelEvent) -> None:
        """Take an event of this decision's champion in."""
        if event.event == "serving":
            self.serving.append(event)
        elif self.said is None:
            self.said = event


def end(bootstrap: Address) -> int:
    """Return where `model-events` ends now: what is said to a decision that follows comes after. Raises LedgerError."""

    async def ask() -> int:
        async with _consumer(bootstrap) as client:
            return int((await client.end_offsets([PARTITION]))[PARTITION])

    return _asked(bootstrap, ask())


def answer(bootstrap: Address, begin: int, made: Deployment, seconds: float, more: float) -> Answer:
    """Return what workers say to a decision from offset `begin` on: wait so many seconds, then `more` for first bars.

    Raises LedgerError where Kafka does not answer.
    """
    found = Answer()

    async def hear() -> None:
        async with _consumer(bootstrap) as client:
            client.seek(PARTITION, begin)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds) as limit:
                    async for record in client:
                        for event in codec.decode(record.value, ModelEvent, record.headers).records:
                            if (event.model, event.version, event.number) == (made.model, made.champion, made.number):
                                if found.said is None and event.event != "serving":
                                    limit.reschedule(asyncio.get_running_loop().time() + more)
                                found.hear(event)

    _asked(bootstrap, hear())
    return found


@asynccontextmanager
async def _consumer(bootstrap: Address) -> AsyncIterator[AIOKafkaConsumer]:
    client = broker.consumer(bootstrap, enable_auto_commit=False)
    try:
        await client.start()
        client.assign([PARTITION])
        yield client
    finally:
        await client.stop()


def _asked(bootstrap: Address, question: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(question)
    except KafkaError as error:
        raise LedgerError(
            f"Kafka at {bootstrap} does not answer ({reason(error)}): is it running? ./foretick up"
        ) from None

"""The workers' confirmations of a decision: whether its champion is loaded, and from which bars on it serves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from broker.interface import ConsumerClient
from broker.reader import reader
from learning.deployment.ledger import LedgerError
from settings.broker import Address
from storage.errors import reason
from topics import codec
from topics.catalog import MODEL_EVENTS
from topics.records import Deployment, ModelEvent

T = TypeVar("T")

PARTITION = TopicPartition(MODEL_EVENTS.name, 0)


@dataclass
class Confirmation:
    """The confirmations of a decision's champion: the first worker's reply, None if there is none, and each first
    bar."""

    reply: ModelEvent | None = None
    serving: list[ModelEvent] = field(default_factory=list)

    def add(self, event: ModelEvent) -> None:
        """Add an event of this decision's champion."""
        if event.event == "serving":
            self.serving.append(event)
        elif self.reply is None:
            self.reply = event


def end(bootstrap: Address) -> int:
    """Return the end offset of `model-events`: replies to a following decision come after it. Raises LedgerError."""

    async def ask() -> int:
        async with _consumer(bootstrap) as client:
            return int((await client.end_offsets([PARTITION]))[PARTITION])

    return _asked(bootstrap, ask())


def answer(bootstrap: Address, begin: int, made: Deployment, seconds: float, more: float) -> Confirmation:
    """Return the workers' replies to a decision from offset `begin` on: wait this many seconds, then `more` for first
    bars.

    Raises LedgerError if Kafka does not answer.
    """
    confirmation = Confirmation()

    async def hear() -> None:
        async with _consumer(bootstrap) as client:
            client.seek(PARTITION, begin)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds) as limit:
                    async for record in client:
                        for event in codec.decode(record.value, ModelEvent, record.headers).records:
                            if (event.model, event.version, event.number) == (made.model, made.champion, made.number):
                                if confirmation.reply is None and event.event != "serving":
                                    limit.reschedule(asyncio.get_running_loop().time() + more)
                                confirmation.add(event)

    _asked(bootstrap, hear())
    return confirmation


@asynccontextmanager
async def _consumer(bootstrap: Address) -> AsyncIterator[ConsumerClient]:
    async with reader(bootstrap) as client:
        client.assign([PARTITION])
        yield client


def _asked(bootstrap: Address, question: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(question)
    except KafkaError as error:
        raise LedgerError(
            f"Kafka at {bootstrap} does not answer ({reason(error)}): is it running? ./foretick up"
        ) from None

"""Sends with a bounded number of records under way, and writes down what Kafka has confirmed."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Generic, TypeVar

from aiokafka.structs import RecordMetadata

from broker.confirmed_send import KafkaWriter
from broker.interface import Delivery, Headers

T = TypeVar("T")

IN_FLIGHT = 64
SAVE_S = 0.5


class Confirmations(Generic[T]):
    """Sends values, each with what is to be known of it once Kafka has it.

    `note` is told of each in the order in which they were sent, and `write_down` is called from time to time. `owed` is
    held while an answer of Kafka's is waited for.
    """

    def __init__(
        self,
        writer: KafkaWriter,
        note: Callable[[T, RecordMetadata], None],
        write_down: Callable[[], None],
        owed: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._writer, self._note, self._write_down, self._owed = writer, note, write_down, owed
        self._pending: deque[tuple[Delivery, T]] = deque()
        self._saved = 0.0

    async def send(self, what: T, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        """Send a value; `what` is what `note` is told."""
        with self._owed():
            sent = await self._writer.hand(topic, key, value, headers)
        self._pending.append((sent, what))

    async def settle(self, unconfirmed: int = 0) -> None:
        """Wait until at most so many are unconfirmed. Raises the error of one that Kafka did not take."""
        while len(self._pending) > unconfirmed or (self._pending and self._pending[0][0].done()):
            sent, what = self._pending[0]
            with self._owed():
                where = await asyncio.shield(sent)
            self._pending.popleft()
            self._note(what, where)
        if time.monotonic() - self._saved > SAVE_S:
            self.save()

    def save(self) -> None:
        """Write down what was confirmed."""
        self._write_down()
        self._saved = time.monotonic()

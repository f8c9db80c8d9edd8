"""Follows a topic for one client: from its last position, through Kafka, into the ring, and on with all others."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from api.hub import Hub, consumer, frame
from api.metrics import STREAMED
from api.problems import ProblemError
from api.ring_buffer import BufferedFrame, Ring
from api.stream_filter import Selection
from api.stream_position import Position
from topics.catalog import Topic

KEEP_ALIVE_S = 15.0
READY_S, CHECK_S = 3.0, 10.0
PIECE = 200
"""The most records in one piece: a slow client is waited for between two."""


@dataclass(frozen=True)
class Event:
    """A record to send; without data, only the id of the client's position; or a note, which does not advance it."""

    id: str
    data: bytes | None = None
    note: str | None = None


class EndedError(Exception):
    """The end of a stream: the reason in a word, and a message for the client."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(kw_only=True)
class TopicSubscription:
    """One client of one topic. `places` is its position; `number` the next frame of the ring, once there.

    It continues while `allowed`. After `keep_alive` seconds without records, it gets its position.
    """

    hub: Hub
    topic: Topic
    selection: Selection
    allowed: Callable[[], bool] = lambda: True
    keep_alive: float = KEEP_ALIVE_S
    places: dict[int, tuple[int, int]] = field(default_factory=dict)
    number: int | None = None

    @property
    def ring(self) -> Ring:
        """The ring of the topic."""
        return self.hub.rings[self.topic]

    async def begin(self, position: Position | None) -> None:
        """Set the position, the present end if none is given.

        Raises ProblemError: 503 if Kafka does not answer, 410 if it no longer has the records after the position.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_S):
                await self.hub.ready.wait()
        if not self.hub.ready.is_set():
            raise ProblemError(503, "Kafka does not answer; try again later", Retry_After="5")
        if position is None:
            self.places = {partition: (offset, 0) for partition, offset in self.ring.end.items()}
            self.number = self.ring.next
            return
        # A partition that is not in the id was added since.
        self.places = {partition: position.places.get(partition, (0, 0)) for partition in self.ring.end}
        if set(position.places) - set(self.places) or not self._enter_ring():
            await self._check(position)

    async def _check(self, position: Position) -> None:
        """Check whether Kafka still has all records after a position."""
        try:
            async with asyncio.timeout(CHECK_S), consumer(self.hub.bootstrap, [self.topic]) as client:
                parts = client.assignment()
                begins, ends = await client.beginning_offsets(parts), await client.end_offsets(parts)
        except (KafkaError, OSError, TimeoutError):
            raise ProblemError(503, "Kafka does not answer; try again later", Retry_After="5") from None
        known = {part.partition: (int(begins[part]), int(ends[part])) for part in parts}
        for partition, (offset, row) in {**position.places, **self.places}.items():
            begin, end = known.get(partition, (0, -1))
            if not begin <= offset <= end - (row > 0):
                raise ProblemError(
                    410, f"Kafka no longer has the records after this id: {ANEW.format(self.topic.name)}"
                )

    def _enter_ring(self) -> bool:
        """Enter the ring if it has all next records; return whether it has."""
        ring = self.ring
        for partition, start in ring.start.items():
            offset, _ = self.places.get(partition, (0, 0))
            if not start <= offset <= ring.end[partition]:
                return False
        self.number = ring.first
        return True

    async def events(self) -> AsyncIterator[Sequence[Event]]:
        """Yield records as they arrive, at times only the client's position. Raises EndedError at the end."""
        yield [self._here()]
        spoke, away = time.monotonic(), False
        async for piece in self._all():
            self._go_on()
            if away == self.hub.ready.is_set():
                away = not away
                yield [Event("", note=AWAY if away else BACK)]
            if piece:
                yield piece
            elif time.monotonic() - spoke >= self.keep_alive:
                yield [self._here()]
            else:
                continue
            spoke = time.monotonic()

    def _here(self) -> Event:
        return Event(Position(self.topic.name, self.places).encode())

    async def _all(self) -> AsyncIterator[Sequence[Event]]:
        """Yield records as they come, and nothing after each frame and at the latest when it is time to say so."""
        if self.number is None:
            async for piece in self._catch_up():
                yield piece
        number = self.ring.first if self.number is None else self.number
        while True:
            try:
                buffered_frame = self.ring.get(number)
            except KeyError:
                raise EndedError("behind", f"the client is too slow for the stream; {RESUME}") from None
            if buffered_frame is None:
                await self._change()
            else:
                number += 1
                for piece in self._pieces(buffered_frame):
                    yield piece
            yield []

    async def _catch_up(self) -> AsyncIterator[Sequence[Event]]:
        """Read records from Kafka that are no longer in the ring, until the ring has all next ones."""
        try:
            async with consumer(self.hub.bootstrap, [self.topic]) as client:
                for partition, (offset, _) in self.places.items():
                    client.seek(TopicPartition(self.topic.name, partition), offset)
                while not self._enter_ring():
                    yield []
                    for records in (await client.getmany(timeout_ms=500, max_records=100)).values():
                        for record in records:
                            for piece in self._pieces(frame(record, self.hub.bounds)):
                                yield piece
        except OffsetOutOfRangeError:
            raise EndedError("gone", f"Kafka has deleted the next records: {ANEW.format(self.topic.name)}") from None
        except (KafkaError, OSError) as error:
            raise EndedError("kafka", f"Kafka cannot be read ({type(error).__name__}); {RESUME}") from None

    def _go_on(self) -> None:
        if self.hub.stopping.is_set():
            raise EndedError("stopping", f"the API stops; {RESUME}")
        if not self.allowed():
            raise EndedError("revoked", "the token is no longer valid")

    async def _change(self) -> None:
        """Wait for more, or until it is time to send the position."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.keep_alive):
                await self.ring.change()

    def _pieces(self, buffered_frame: BufferedFrame) -> Iterator[list[Event]]:
        """Yield the requested new records of a frame, and advance."""
        partition, offset = buffered_frame.partition, buffered_frame.offset
        place, given = self.places.get(partition, (0, 0))
        if offset < place:
            return
        given = given if offset == place else 0
        taken = [
            (row, data)
            for row, record, encoded in buffered_frame.rows
            if row >= given and (data := self.selection.take(record, encoded)) is not None
        ]
        others = {number: at for number, at in self.places.items() if number != partition}
        others_id = Position(self.topic.name, others).encode()
        events = [Event(f"{others_id}.{partition}-{offset}-{row + 1}", data) for row, data in taken]
        self.places[partition] = offset + 1, 0
        if events:
            # After the last requested record the position is the next frame: this one may be deleted.
            events[-1] = Event(self._here().id, events[-1].data)
        for start in range(0, len(events), PIECE):
            piece = events[start : start + PIECE]
            STREAMED.labels(self.topic.name).inc(len(piece))
            yield piece


RESUME = "connect again with the last id and nothing is missed"
AWAY, BACK = "Kafka does not answer; the stream continues by itself once it does", "Kafka answers again"
ANEW = "read the missing records from /v1/{}, and restart the stream without an id"

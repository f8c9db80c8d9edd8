"""Looks at a reader of Kafka from outside it: where its group is, and where the topics end, by connections of its own.

A consumer can stand still without a sign (aiokafka#1154): what it says of itself is no proof. A process whose positions
stand still before the end, while it waits for nothing, ends itself, so that it is started again.
"""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from settings.broker import Address
from sources import broker
from stream.condition import Place, standing_still, stuck_place
from stream.standing import Standing

log = logging.getLogger("foretick")

LOOK_S, REQUEST_MS = 2.0, 5_000
ANSWER_S, LOOKS_APART_S = 15.0, 20.0
THREAD = "lookout"
NOT_ASSIGNED = "its partitions: they are shared out, or its tables recovered"


@dataclass(frozen=True)
class Own:
    """What a reader says of a partition: the offset that it fetches next, and whether it has done all that it got."""

    position: int | None
    done: bool


def position(state: Any) -> int | None:
    """Return the offset that aiokafka fetches next of a partition; None while it does not know. From any thread.

    Read once: a partition whose records were deleted loses its position at any moment, and aiokafka's own property
    fails then, also where it was asked just before whether there is one.
    """
    found = state._position
    return None if found is None else int(found)


Reads = Callable[[], Mapping[TopicPartition, Own]]
"""Returns the partitions that this process reads now; none while they are shared out or tables are recovered."""


@dataclass(frozen=True)
class Ends:
    """What Kafka says of one partition."""

    first: int
    end: int
    committed: int | None


def place(part: TopicPartition, told: Ends, own: Own, last: Place | None, now: float, free: bool) -> Place:
    """Return where a reader is; `free` is whether it could have moved, `last` where it was seen before.

    What lies before the first record that is left needs no reading. And a log may end in marks that are no records:
    who has fetched to its end and done it all is at the end.
    """
    committed = max(told.first, -1 if told.committed is None else told.committed)
    at_end = committed >= told.end or (own.done and own.position is not None and own.position >= told.end)
    if last is None:
        return Place(part.topic, part.partition, committed, told.end, now, None if at_end else now, goal=told.end)
    moved = committed > last.committed
    still = now if moved or not free else last.still
    seen = replace(last, committed=committed, end=told.end, still=still, moved=last.moved or moved)
    if at_end:
        return replace(seen, behind=None)
    if last.behind is None or committed >= last.goal:  # what is left came later: a stream that flows never ends
        return replace(seen, behind=now, goal=told.end)
    return seen


class Lookout:
    """A thread that looks every few seconds, and tells a `Standing`."""

    def __init__(
        self, address: Address, group: str, reads: Reads, standing: Standing, together: frozenset[str] = frozenset()
    ) -> None:
        """`together` names topics whose partitions are read in one order: where one moves, all do."""
        self._address, self._group, self._reads, self._standing = address, group, reads, standing
        self._together = together
        self._places: dict[TopicPartition, Place] = {}
        self._looked = 0.0

    def start(self) -> None:
        """Begin to look, for as long as the process lives."""
        self._standing.expects_places()
        self._standing.wait(NOT_ASSIGNED, key="assignment")
        # That Kafka does not answer is told as what is waited for, and not every other second in the log as well.
        logging.getLogger("aiokafka").addFilter(lambda record: record.threadName != THREAD)
        threading.Thread(target=lambda: asyncio.run(self._run()), name=THREAD, daemon=True).start()

    async def _run(self) -> None:
        while True:
            admin = broker.admin(self._address, request_timeout_ms=REQUEST_MS)
            consumer = broker.consumer(self._address, request_timeout_ms=REQUEST_MS)
            try:
                async with asyncio.timeout(ANSWER_S):
                    await admin.start()
                    await consumer.start()
                while True:
                    async with asyncio.timeout(ANSWER_S):
                        await self._look(admin, consumer)
                    self._standing.wait(None, key="kafka")
                    await asyncio.sleep(LOOK_S)
            except (KafkaError, OSError, TimeoutError) as error:
                self._places = {}  # time does not count in which nothing could move
                self._standing.wait(f"Kafka at {self._address}: {type(error).__name__}", key="kafka")
            except Exception:
                # A defect here must not hide how the process is: unknown, until a look succeeds.
                self._places = {}
                self._standing.wait(None, key="assignment")
                log.exception("Kafka cannot be looked at; trying again")
            finally:
                with contextlib.suppress(Exception, asyncio.CancelledError):
                    await consumer.stop()
                    await admin.close()
            await asyncio.sleep(LOOK_S)

    async def _look(self, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> None:
        reads = dict(self._reads())
        if not reads:
            self._standing.wait(NOT_ASSIGNED, key="assignment")
            self._places = {}
            self._standing.saw(())
            return
        ends = await told(admin, consumer, self._group, list(reads))
        now = self._standing.now()
        # It could move unless it waits on purpose, computes, or was stopped as a whole since the last look.
        free = not self._standing.waiting() and not self._standing.busy() and now - self._looked < LOOKS_APART_S
        self._looked = now
        found = {part: place(part, ends[part], own, self._places.get(part), now, free) for part, own in reads.items()}
        newest: dict[str, float] = {}
        for one in found.values():
            newest[one.topic] = max(newest.get(one.topic, 0.0), one.still)
        self._places = {
            part: replace(one, still=newest[one.topic]) if one.topic in self._together else one
            for part, one in found.items()
        }
        self._standing.saw(tuple(self._places.values()))
        self._standing.wait(None, key="assignment")  # only now: until it was seen where it is, it is not known to read
        stuck = stuck_place(tuple(self._places.values()), now, self._standing.limits) if free else None
        if stuck is not None:
            log.critical(
                "stuck: %s, and nothing is waited for; the process ends, to be started again",
                standing_still(stuck, now),
                extra={"topic": stuck.topic},
            )
            logging.shutdown()
            os._exit(70)


async def told(
    admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, group: str, parts: list[TopicPartition]
) -> dict[TopicPartition, Ends]:
    """Ask Kafka where partitions begin and end, and where a group is. Raises KafkaError."""
    first, end, committed = await asyncio.gather(
        consumer.beginning_offsets(parts), consumer.end_offsets(parts), admin.list_consumer_group_offsets(group)
    )
    at = {part: found.offset for part, found in committed.items() if found.offset >= 0}
    return {part: Ends(int(first[part]), int(end[part]), at.get(part)) for part in parts}

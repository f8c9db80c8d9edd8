"""Monitors a reader of Kafka by separate connections: its group's offsets, and the topics' end offsets.

A consumer can hang silently (aiokafka#1154), so its own state is no evidence. A process whose positions stand still
before the end, while it waits for nothing, exits, so that it is restarted.
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

from broker import clients
from observability.condition import SHORT_S, ReaderPosition, standing_still, stuck_place
from observability.lag import UNKNOWN, ConsumerLag
from observability.lag_reader import FETCH_BYTES, Span, waiting
from observability.work_status import WorkStatus
from settings.broker import Address

log = logging.getLogger("foretick")

LOOK_S, REQUEST_MS = 2.0, 5_000
MEASURE_S = 10.0
"""How often waiting records are read for their rows and event time: not at every check, as that takes CPU."""
ANSWER_S, LOOKS_APART_S = 15.0, 20.0
SHUTDOWN = "cannot schedule new futures"
"""What Python says in a thread while the process ends."""
THREAD = "lookout"
NOT_ASSIGNED = "its partitions: they are shared out, or its tables recovered"


@dataclass(frozen=True)
class ReaderOffsets:
    """A reader's own state of a partition: the offset that it fetches next, and whether it has processed all that it
    fetched."""

    position: int | None
    done: bool


def position(state: Any) -> int | None:
    """Return the offset that aiokafka fetches next of a partition; None while it is unknown. Thread-safe.

    Read once: a partition whose records were deleted can lose its position at any moment, and aiokafka's own property
    then fails, even after a check that there is one.
    """
    result = state._position
    return None if result is None else int(result)


Reads = Callable[[], Mapping[TopicPartition, ReaderOffsets]]
"""Returns the partitions that this process reads now; none during a rebalance or a recovery."""


@dataclass(frozen=True)
class PartitionEnds:
    """The offsets that Kafka returned for one partition."""

    first: int
    end: int
    committed: int | None


def reader_position(
    part: TopicPartition,
    reporter: PartitionEnds,
    own: ReaderOffsets,
    last: ReaderPosition | None,
    now: float,
    free: bool,
) -> ReaderPosition:
    """Return a reader's position; `free` is whether it could have advanced, `last` its previous position.

    Deleted records need no reading. A log may end in markers that are no records: a reader that has fetched to its end
    and processed everything is at the end.
    """
    committed = max(reporter.first, -1 if reporter.committed is None else reporter.committed)
    at_end = committed >= reporter.end or (own.done and own.position is not None and own.position >= reporter.end)
    if last is None:
        return ReaderPosition(
            topic=part.topic,
            partition=part.partition,
            committed=committed,
            end=reporter.end,
            still=now,
            behind=None if at_end else now,
            goal=reporter.end,
        )
    moved = committed > last.committed
    still = now if moved or not free else last.still
    seen = replace(last, committed=committed, end=reporter.end, still=still, moved=last.moved or moved)
    if at_end:
        return replace(seen, behind=None)
    if last.behind is None or committed >= last.goal:  # the remaining records came later: a live stream never ends
        return replace(seen, behind=now, goal=reporter.end)
    return seen


class ReaderMonitor:
    """A thread that checks every few seconds, and updates a `WorkStatus`."""

    def __init__(
        self,
        address: Address,
        group: str,
        reads: Reads,
        work_status: WorkStatus,
        together: frozenset[str] = frozenset(),
    ) -> None:
        """`together` names topics whose partitions are read in one order: if one advances, all do."""
        self._address, self._group, self._reads, self._work_status = address, group, reads, work_status
        self._together = together
        self._places: dict[TopicPartition, ReaderPosition] = {}
        self._looked = self._measured = 0.0

    def start(self) -> None:
        """Start monitoring, for the life of the process."""
        self._work_status.expects_places()
        self._work_status.wait(NOT_ASSIGNED, key="assignment")
        # An unreachable Kafka is reported as a wait, not also in the log every few seconds.
        logging.getLogger("aiokafka").addFilter(lambda record: record.threadName != THREAD)
        threading.Thread(target=lambda: asyncio.run(self._run()), name=THREAD, daemon=True).start()

    async def _run(self) -> None:
        while True:
            admin = clients.admin(self._address, request_timeout_ms=REQUEST_MS)
            consumer = clients.consumer(
                self._address,
                request_timeout_ms=REQUEST_MS,
                enable_auto_commit=False,
                max_partition_fetch_bytes=FETCH_BYTES,
            )
            try:
                async with asyncio.timeout(ANSWER_S):
                    await admin.start()
                    await consumer.start()
                while True:
                    async with asyncio.timeout(ANSWER_S):
                        await self._look(admin, consumer)
                    self._work_status.wait(None, key="kafka")
                    await asyncio.sleep(LOOK_S)
            except (KafkaError, OSError, TimeoutError) as error:
                self._places = {}  # time in which no progress was possible does not count
                self._work_status.wait(f"Kafka at {self._address}: {type(error).__name__}", key="kafka")
            except Exception as error:
                if isinstance(error, RuntimeError) and SHUTDOWN in str(error):
                    return  # asyncio's own threads ended first
                # A defect here must not hide how the process is: unknown, until a look succeeds.
                self._places = {}
                self._work_status.wait(None, key="assignment")
                log.exception("Kafka cannot be looked at; trying again")
            finally:
                with contextlib.suppress(Exception, asyncio.CancelledError):
                    await consumer.stop()
                    await admin.close()
            await asyncio.sleep(LOOK_S)

    async def _look(self, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> None:
        reads = dict(self._reads())
        if not reads:
            self._work_status.wait(NOT_ASSIGNED, key="assignment")
            self._places = {}
            self._work_status.saw(())
            return
        ends = await partition_ends(admin, consumer, self._group, list(reads))
        now = self._work_status.now()
        # It could advance unless it waits on purpose, computes, or was stopped as a whole since the last check.
        free = not self._work_status.waiting() and not self._work_status.busy() and now - self._looked < LOOKS_APART_S
        self._looked = now
        values = {
            part: reader_position(part, ends[part], own, self._places.get(part), now, free)
            for part, own in reads.items()
        }
        newest: dict[str, float] = {}
        for one in values.values():
            newest[one.topic] = max(newest.get(one.topic, 0.0), one.still)
        waits = await self._wait(consumer, values, ends, now)
        self._places = {
            part: replace(one, waits=waits[part], still=newest[one.topic] if one.topic in self._together else one.still)
            for part, one in values.items()
        }
        self._work_status.saw(tuple(self._places.values()))
        # Only now: until it was seen where it is, it is not known to read.
        self._work_status.wait(None, key="assignment")
        stuck = stuck_place(tuple(self._places.values()), now, self._work_status.limits) if free else None
        if stuck is not None:
            log.critical(
                "stuck: %s, and nothing is waited for; the process ends, to be restarted",
                standing_still(stuck, now),
                extra={"topic": stuck.topic},
            )
            logging.shutdown()
            os._exit(70)

    async def _wait(
        self,
        consumer: AIOKafkaConsumer,
        values: Mapping[TopicPartition, ReaderPosition],
        ends: Mapping[TopicPartition, PartitionEnds],
        now: float,
    ) -> Mapping[TopicPartition, ConsumerLag]:
        """Return the lag in each partition: measured if it is due, else the last measurement."""
        late = {
            part: one
            for part, one in values.items()
            if one.behind is not None and (not one.moved or now - one.behind > SHORT_S)
        }
        known = {part: self._places[part].waits if part in self._places else UNKNOWN for part in late}
        if late and (now - self._measured >= MEASURE_S or UNKNOWN in known.values()):
            spans = {part: Span(ends[part].first, one.committed, one.end) for part, one in late.items()}
            known = await waiting(consumer, spans)
            self._measured = now
        return {part: known.get(part, UNKNOWN) for part in values}


async def partition_ends(
    admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, group: str, parts: list[TopicPartition]
) -> dict[TopicPartition, PartitionEnds]:
    """Fetch the partitions' begin and end offsets, and a group's offsets. Raises KafkaError."""
    first, end, committed = await asyncio.gather(
        consumer.beginning_offsets(parts), consumer.end_offsets(parts), admin.list_consumer_group_offsets(group)
    )
    at = {part: result.offset for part, result in committed.items() if result.offset >= 0}
    return {part: PartitionEnds(int(first[part]), int(end[part]), at.get(part)) for part in parts}

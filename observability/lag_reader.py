"""Measures the rows and the event time that wait in partitions of Kafka, from both ends only."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from observability.lag import NOTHING, ConsumerLag
from topics.catalog import GAPS

READ_S = 3.0
FETCH_BYTES = 262_144
"""The fetch size per partition of a consumer for this: Kafka returns at least one whole batch."""


@dataclass(frozen=True)
class Span:
    """The first offset of a partition, the next one for its reader, and the end offset."""

    first: int
    at: int
    end: int


class _Timed(Struct):
    """A record's times, epoch ms: no other fields are decoded."""

    time: int | None = None
    end: int | None = None


_one, _many = msgspec.json.Decoder(_Timed), msgspec.json.Decoder(list[_Timed])

Read = dict[TopicPartition, list[tuple[int, list[int]]]]
"""The offsets of Kafka records and the times of their rows; no times if they cannot be read."""


async def waiting(
    consumer: AIOKafkaConsumer, spans: Mapping[TopicPartition, Span]
) -> dict[TopicPartition, ConsumerLag]:
    """Return the lag in each partition, using a consumer without a group exclusively.

    Rows are counted if Kafka returns all waiting records at once. Raises KafkaError.
    """
    late = {part: span for part, span in spans.items() if span.at < span.end}
    # The committed offset is the next to be read: the last processed record is before it.
    begin = await _read(consumer, {part: max(span.first, span.at - 1) for part, span in late.items()})
    whole = {part for part, read in begin.items() if read[-1][0] == late[part].end - 1}
    newest = await _read(consumer, {part: late[part].end - 1 for part in begin.keys() - whole})
    values = dict.fromkeys(spans, NOTHING)
    for part, span in late.items():
        rows = seconds = None
        if part in whole:
            rows = _counted([times for offset, times in begin[part] if offset >= span.at])
            newest[part] = begin[part]
        if part in newest:
            seconds = _event_time(begin[part][0][1], newest[part][-1][1], span.at == span.first)
        values[part] = ConsumerLag(span.end - span.at, rows, seconds)
    return values


def _counted(frames: Sequence[list[int]]) -> int | None:
    """Return the number of rows in Kafka records, None if one of them cannot be read."""
    return sum(map(len, frames)) if all(frames) else None


def _event_time(first: list[int], newest: list[int], waits: bool) -> float | None:
    """Return the seconds up to the newest row, from the last processed row, else from the first waiting one."""
    if not first or not newest:
        return None
    return max(0.0, (newest[-1] - (first[0] if waits else first[-1])) / 1000)


def _times(topic: str, value: bytes | None) -> list[int]:
    """Return the times of the rows in a Kafka record, epoch ms; none if one of them has none."""
    try:
        rows = _many.decode(value or b"") if (value or b"").lstrip()[:1] == b"[" else [_one.decode(value or b"")]
    except (msgspec.MsgspecError, ValueError):
        return []
    times = [row.end if topic == GAPS.name else row.time for row in rows]
    return [time for time in times if time is not None] if None not in times else []


async def _read(consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> Read:
    """Return the first records from each offset on; none of a partition that does not answer in time."""
    values: Read = {}
    if not offsets:
        return values
    consumer.assign(list(offsets))
    for part, offset in offsets.items():
        consumer.seek(part, offset)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READ_S):
            while values.keys() != offsets.keys():
                for part, messages in (await consumer.getmany(timeout_ms=200)).items():
                    if part not in values:
                        values[part] = [(message.offset, _times(part.topic, message.value)) for message in messages]
    consumer.unsubscribe()  # else it continues to fetch
    return values

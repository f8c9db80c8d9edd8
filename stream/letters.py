"""Dead letters that can always be sent: what is large is cut, and what is many is counted."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from aiokafka.structs import ConsumerRecord
from faust.types import EventT
from msgspec.structs import replace

from topics import codec
from topics.bounds import BOUNDS, Bounds
from topics.catalog import Topic
from topics.letters import REASON_LENGTH, letter
from topics.records import DeadLetter

MOST_LETTERS = 100
"""Letters of one Kafka record, at most: a value of 4 MB can be two million parts that are none."""


def headers_of(event: EventT[Any]) -> Any:
    """Return the pairs of an event's headers."""
    headers: Any = event.message.headers or ()
    return headers.items() if isinstance(headers, dict) else headers


def of_event(topic: str, event: EventT[Any], row: int, value: bytes, reason: str) -> DeadLetter:
    """Return the dead letter of a part of an event's value."""
    message = event.message
    time = int((message.timestamp or 0) * 1000)
    return letter(topic, message.partition, message.offset, time, message.key, row, value, reason)


def of_whole(topic: str, event: EventT[Any], reason: str) -> DeadLetter:
    """Return the dead letter of an event that was not read, or not used at all."""
    return of_event(topic, event, 0, event.message.value or b"", reason)


def told(error: BaseException) -> str:
    """Return an exception's type and last line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__


def of_record(topic: str, record: ConsumerRecord, row: int, value: bytes, reason: str) -> DeadLetter:
    """Return the dead letter of a part of a record that aiokafka has read."""
    return letter(topic, record.partition, record.offset, record.timestamp, record.key, row, value, reason)


Decoded = tuple[Sequence[int], list[Any], list[DeadLetter]]


def decode_event(topic: Topic, event: EventT[Any], bounds: Bounds = BOUNDS) -> Decoded:
    """Return the records of an event, the row of each, and the dead letters of what is none; never raises."""
    message, letter_of = event.message, partial(of_event, topic.name, event)
    time = bounds.latest((message.timestamp or 0) * 1000)
    return _decode(topic, message.value, headers_of(event), letter_of, time, bounds)


def decode_record(topic: Topic, record: ConsumerRecord, bounds: Bounds = BOUNDS) -> Decoded:
    """Return the same of a record that aiokafka has read."""
    letter_of = partial(of_record, topic.name, record)
    return _decode(topic, record.value, record.headers, letter_of, bounds.latest(record.timestamp), bounds)


def _decode(
    topic: Topic,
    value: bytes | None,
    headers: Any,
    letter_of: Callable[[int, bytes, str], DeadLetter],
    time: int | None,
    bounds: Bounds,
) -> Decoded:
    try:
        frame = codec.decode(value, topic.record, headers, latest=time, bounds=bounds)
    except Exception as error:  # noqa: BLE001 - whatever the bytes do to the codec, they are no record
        return (), [], [letter_of(0, value or b"", told(error))]
    return frame.rows, frame.records, [letter_of(part.row, part.value, part.reason) for part in frame.rejected]


def bounded(letters: list[DeadLetter]) -> list[DeadLetter]:
    """Return the letters of one Kafka record, of many only the first; the last then tells how many more there are."""
    if len(letters) <= MOST_LETTERS:
        return letters
    last = letters[MOST_LETTERS]
    reason = f"and {len(letters) - MOST_LETTERS - 1} more parts of this record like this one: {last.reason}"
    return [*letters[:MOST_LETTERS], replace(last, reason=reason[:REASON_LENGTH])]

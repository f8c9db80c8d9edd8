"""The records of a Kafka record, and the dead letters of what is none; what is many is counted."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from aiokafka.structs import ConsumerRecord
from msgspec.structs import replace

from topics import codec
from topics.catalog import Topic
from topics.dead_letters import REASON_LENGTH, dead_letter
from topics.records import DeadLetter
from topics.value_size import BOUNDS, Bounds

MAX_DEAD_LETTERS = 100
"""Letters of one Kafka record, at most: a value of 4 MB can be two million parts that are none."""

Decoded = tuple[Sequence[int], list[Any], list[DeadLetter]]


def error_text(error: BaseException) -> str:
    """Return an exception's type and last line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__


def of_record(topic: str, record: ConsumerRecord, row: int, value: bytes, reason: str) -> DeadLetter:
    """Return the dead letter of a part of a record that aiokafka has read."""
    return dead_letter(topic, record.partition, record.offset, record.timestamp, record.key, row, value, reason)


def decode_record(topic: Topic, record: ConsumerRecord, bounds: Bounds = BOUNDS) -> Decoded:
    """Return the records of one that aiokafka has read, the row of each, and the letters of what is none; no error."""
    letter_of = partial(of_record, topic.name, record)
    return decode_value(topic, record.value, record.headers, letter_of, bounds.latest(record.timestamp), bounds)


def decode_value(
    topic: Topic,
    value: bytes | None,
    headers: Any,
    letter_of: Callable[[int, bytes, str], DeadLetter],
    time: int | None,
    bounds: Bounds,
) -> Decoded:
    """Return the same of a value; `letter_of` makes one of row, bytes and reason; `time` is the latest, epoch ms."""
    try:
        frame = codec.decode(value, topic.record, headers, latest=time, bounds=bounds)
    except Exception as error:  # noqa: BLE001 - whatever the bytes do to the codec, they are no record
        return (), [], [letter_of(0, value or b"", error_text(error))]
    return frame.rows, frame.records, [letter_of(part.row, part.value, part.reason) for part in frame.rejected]


def bounded(dead_letters: list[DeadLetter]) -> list[DeadLetter]:
    """Return the letters of one Kafka record, of many only the first; the last then tells how many more there are."""
    if len(dead_letters) <= MAX_DEAD_LETTERS:
        return dead_letters
    last = dead_letters[MAX_DEAD_LETTERS]
    reason = f"and {len(dead_letters) - MAX_DEAD_LETTERS - 1} more parts of this record like this one: {last.reason}"
    return [*dead_letters[:MAX_DEAD_LETTERS], replace(last, reason=reason[:REASON_LENGTH])]

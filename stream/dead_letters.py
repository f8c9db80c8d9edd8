"""The dead letters of what Faust has read."""

from functools import partial
from typing import Any

from broker.dead_letters import Decoded, decode_value
from stream.coalesced import Piece
from topics.catalog import Topic
from topics.dead_letters import dead_letter
from topics.records import DeadLetter
from topics.value_size import BOUNDS, Bounds


def headers_of(event: Piece) -> Any:
    """Return the pairs of an event's headers."""
    headers: Any = event.message.headers or ()
    return headers.items() if isinstance(headers, dict) else headers


def of_event(topic: str, event: Piece, row: int, value: bytes, reason: str) -> DeadLetter:
    """Return the dead letter of a part of an event's value."""
    message = event.message
    time = int((message.timestamp or 0) * 1000)
    return dead_letter(topic, message.partition, message.offset, time, message.key, row, value, reason)


def of_whole(topic: str, event: Piece, reason: str) -> DeadLetter:
    """Return the dead letter of a whole event."""
    return of_event(topic, event, 0, event.message.value or b"", reason)


def decode_event(topic: Topic, event: Piece, bounds: Bounds = BOUNDS) -> Decoded:
    """Return the records of an event, the row of each, and the dead letters of invalid parts; never raises."""
    message, letter_of = event.message, partial(of_event, topic.name, event)
    time = bounds.latest((message.timestamp or 0) * 1000)
    return decode_value(topic, message.value, headers_of(event), letter_of, time, bounds)

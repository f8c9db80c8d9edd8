"""The dead letters of what Faust has read."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby, islice
from typing import Any

from broker.dead_letters import Decoded, decode_value
from stream.coalesced import MOST_RECORDS, SMALL_BYTES, Piece
from topics import codec
from topics.catalog import Topic
from topics.dead_letters import dead_letter
from topics.records import DeadLetter
from topics.value_size import BOUNDS, Bounds

ONE = (0,)
"""The rows of a value that is one record."""


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


def decode_events(topic: Topic, events: Iterable[Piece], bounds: Bounds = BOUNDS) -> Iterator[tuple[Piece, Decoded]]:
    """Yield each event with what `decode_event` returns of it; small ones of one record are decoded together."""
    for single, some in groupby(events, partial(_single, bounds)):
        if single:
            while run := list(islice(some, MOST_RECORDS)):
                yield from _decode_run(topic, run, bounds)
        else:
            for event in some:
                yield event, decode_event(topic, event, bounds)


def _single(bounds: Bounds, event: Piece) -> bool:
    """Return whether an event looks like one record of the present version, and is small."""
    value, headers = event.message.value, event.message.headers
    return (
        value is not None
        and value[:1] == b"{"
        and len(value) <= min(SMALL_BYTES, bounds.bytes)
        and (not headers or dict(headers_of(event)).get(codec.VERSION_HEADER, codec.VERSION) == codec.VERSION)
    )


def _decode_run(topic: Topic, run: Sequence[Piece], bounds: Bounds) -> Iterator[tuple[Piece, Decoded]]:
    earliest = min((event.message.timestamp or 0) for event in run)
    latest = bounds.latest(earliest * 1000)
    records = codec.decode_single([event.message.value for event in run], topic.record, latest=latest)
    for place, event in enumerate(run):
        yield event, (decode_event(topic, event, bounds) if records is None else (ONE, [records[place]], []))


def decode_event(topic: Topic, event: Piece, bounds: Bounds = BOUNDS) -> Decoded:
    """Return the records of an event, the row of each, and the dead letters of invalid parts; never raises."""
    message, letter_of = event.message, partial(of_event, topic.name, event)
    time = bounds.latest((message.timestamp or 0) * 1000)
    return decode_value(topic, message.value, headers_of(event), letter_of, time, bounds)

"""The tables of the stages' states: a recovery takes the newest state from a changelog, not the last written one.

A worker that stalled for too long has been removed from its group without noticing, and writes its states once more
when it continues: after those of the worker that has its partitions now. See docs/why.md.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import faust
import msgspec
from faust.types import EventT
from msgspec import Struct


class Entry(Struct, frozen=True, array_like=True):
    """A table's value for a key: the offset read last, by partition, and the fold's state."""

    offsets: dict[int, int]
    state: bytes


entries = msgspec.msgpack.Decoder(Entry)
_encoder = msgspec.msgpack.Encoder()


def encoded_entry(offsets: dict[int, int], state: bytes) -> bytes:
    """Return a table's value."""
    return _encoder.encode(Entry(offsets, state))


def state_of(value: bytes) -> bytes:
    """Return the state in a table's value."""
    return entries.decode(value).state


def newest(known: Mapping[bytes, bytes], changes: Iterable[EventT[Any]]) -> dict[bytes, EventT[Any]]:
    """Return by key the change with the highest offset in its partition, if it is no older than the known one."""
    values: dict[bytes, EventT[Any]] = {}
    reached: dict[bytes, int] = {}
    for change in changes:
        key, partition = change.message.key or b"", change.message.partition
        if key not in reached:
            reached[key] = _reached(known.get(key), partition)
        offset = _reached(change.message.value, partition)
        if offset >= reached[key]:
            values[key], reached[key] = change, offset
    return values


def _reached(value: bytes | None, partition: int) -> int:
    return -1 if value is None else entries.decode(value).offsets.get(partition, -1)


class Table(faust.Table):  # type: ignore[type-arg] # Faust's class cannot be subscripted when it runs
    """A table of `Entry` that takes the newest of each key from its changelog."""

    def apply_changelog_batch(self, batch: Iterable[EventT[Any]]) -> None:
        """Apply changes."""
        super().apply_changelog_batch(list(newest(self.data, batch).values()))

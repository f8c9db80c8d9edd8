"""The newest frames of a topic, kept in memory for all clients: a window on the end of Kafka's own log.

A client keeps the number of its next frame, and reads at its own pace, independently of others. Frames beyond the
window are dropped, whether or not clients have read them.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from msgspec import Struct

from topics import codec
from topics.catalog import Topic
from topics.value_size import BOUNDS, Bounds

BYTES = 16_777_216
"""The most bytes of a topic's frames, as in Kafka; each counts as `FRAME_BYTES` and its headers besides."""
FRAME_BYTES = 1_024
"""The memory of a frame without its value, since values may be a byte or empty, and numerous."""


@dataclass(frozen=True, kw_only=True)
class BufferedFrame:
    """One Kafka record. Its parts that are no record have a row, so that rows count the same for everyone.

    `time` is the broker's (epoch ms; 0: none). Within the `bounds` it is decoded as in the stream.
    """

    topic: Topic
    partition: int
    offset: int
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    time: int = 0
    bounds: Bounds = BOUNDS

    @property
    def size(self) -> int:
        """Its approximate size in bytes before it is decoded."""
        headers = sum(len(name) + len(value or b"") + FRAME_BYTES // 4 for name, value in self.headers)
        return FRAME_BYTES + len(self.value) + headers

    @cached_property
    def rows(self) -> list[tuple[int, Struct, bytes]]:
        """The records with their rows and bytes: decoded once, by the first client that needs them."""
        frame = codec.decode(
            self.value, self.topic.record, self.headers, latest=self.bounds.latest(self.time), bounds=self.bounds
        )
        return [(row, record, codec.encode_one(record)) for row, record in zip(frame.rows, frame.records, strict=True)]


@dataclass(kw_only=True)
class Ring:
    """Frames by number, from `first` to before `next`: of each partition the offsets from `start` to before `end`."""

    topic: Topic
    most: int = BYTES
    start: dict[int, int] = field(default_factory=dict)
    end: dict[int, int] = field(default_factory=dict)
    first: int = 0
    _frames: deque[BufferedFrame] = field(default_factory=deque)
    _by_number: dict[int, BufferedFrame] = field(default_factory=dict)
    _bytes: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def next(self) -> int:
        """The number of the next frame."""
        return self.first + len(self._frames)

    def reset(self, places: Mapping[int, int]) -> None:
        """Restart at these offsets; present clients have fallen behind."""
        self.first = self.next + 1
        self._frames.clear()
        self._by_number.clear()
        self._bytes = 0
        self.start, self.end = dict(places), dict(places)
        self.wake()

    def add(self, frames: list[BufferedFrame]) -> None:
        """Add the next frames, in the order of their offsets."""
        for frame in frames:
            self._by_number[self.next] = frame
            self._frames.append(frame)
            self._bytes += frame.size
            self.start.setdefault(frame.partition, frame.offset)
            self.end[frame.partition] = frame.offset + 1
        while self._bytes > self.most and len(self._frames) > 1:
            gone = self._frames.popleft()
            del self._by_number[self.first]
            self.first += 1
            self._bytes -= gone.size
            self.start[gone.partition] = gone.offset + 1
        self.wake()

    def get(self, number: int) -> BufferedFrame | None:
        """Return the frame of that number, None if it does not exist yet. Raises KeyError if it was dropped."""
        return None if number >= self.next and number >= self.first else self._by_number[number]

    async def change(self) -> None:
        """Wait until something was added."""
        await self._changed.wait()

    def wake(self) -> None:
        """Wake all waiting clients."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

"""The newest frames of a topic, kept in memory for all who follow it: a window on the end of Kafka's own log.

Who follows keeps the number of the frame to read next, and reads at its own pace; nobody waits for anybody. Frames that
are too many for the window go, whoever has not read them.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from msgspec import Struct

from topics import codec
from topics.bounds import BOUNDS, Bounds
from topics.catalog import Topic

BYTES = 16_777_216
"""What the frames of a topic may take, as they lie in Kafka; each counts as `FRAME_BYTES` and its headers besides."""
FRAME_BYTES = 1_024
"""What a frame takes in memory beside its value: values may be a byte, or none, and as many as there is room for."""


@dataclass(frozen=True)
class Frame:
    """One Kafka record. Its parts that are no record have a row, so that rows count the same for everyone.

    `time` is the broker's (epoch ms; 0: it told none). Within the `bounds` it is read as the stream reads it.
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
        """About the bytes that it takes while nobody has read it."""
        headers = sum(len(name) + len(value or b"") + FRAME_BYTES // 4 for name, value in self.headers)
        return FRAME_BYTES + len(self.value) + headers

    @cached_property
    def rows(self) -> list[tuple[int, Struct, bytes]]:
        """The records with their rows and bytes: read once for all, by the first who follows; nobody may."""
        frame = codec.decode(
            self.value, self.topic.record, self.headers, latest=self.bounds.latest(self.time), bounds=self.bounds
        )
        return [(row, record, codec.encode_one(record)) for row, record in zip(frame.rows, frame.records, strict=True)]


@dataclass
class Ring:
    """Frames by number, from `first` to before `next`: of each partition the offsets from `start` to before `end`."""

    topic: Topic
    most: int = BYTES
    start: dict[int, int] = field(default_factory=dict)
    end: dict[int, int] = field(default_factory=dict)
    first: int = 0
    _frames: deque[Frame] = field(default_factory=deque)
    _by_number: dict[int, Frame] = field(default_factory=dict)
    _bytes: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def next(self) -> int:
        """The number of the frame that is to come."""
        return self.first + len(self._frames)

    def reset(self, places: Mapping[int, int]) -> None:
        """Begin anew at these offsets; whoever followed has fallen behind."""
        self.first = self.next + 1
        self._frames.clear()
        self._by_number.clear()
        self._bytes = 0
        self.start, self.end = dict(places), dict(places)
        self.wake()

    def add(self, frames: list[Frame]) -> None:
        """Take the frames that came next, in the order of their offsets."""
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

    def get(self, number: int) -> Frame | None:
        """Return the frame of that number, None where it is not there yet. Raises KeyError where it has gone."""
        return None if number >= self.next and number >= self.first else self._by_number[number]

    async def change(self) -> None:
        """Wait until something was added."""
        await self._changed.wait()

    def wake(self) -> None:
        """Let all who wait look again."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

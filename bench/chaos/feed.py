"""What goes in: real minutes as bars and as trades, frame by frame, each sent until Kafka has confirmed it."""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from aiokafka.errors import KafkaError
from msgspec import Struct
from msgspec.structs import replace

from broker.producer import producer
from settings.broker import Address
from sources.reading.bars import read_bars
from stack.sample import FILES, TRAIN_UNTIL
from topics import codec
from topics.catalog import BARS, TICKS, Topic
from topics.records import Bar, Tick

AGAIN_S = 0.5
QUARTER_MS = 15_000


@dataclass(frozen=True)
class Frame:
    """Records of one symbol that go in as one Kafka record."""

    topic: Topic
    records: Sequence[Struct]

    @property
    def key(self) -> str:
        """The symbol."""
        return str(getattr(self.records[0], self.topic.key))


def minutes(count: int) -> list[list[Frame]]:
    """Return the ledger: for each of `count` minutes what goes in, two symbols as bars and two as trades."""
    steps: list[list[Frame]] = [[] for _ in range(count)]
    for rows in read_bars(FILES, "1m"):
        columns = (rows.time, rows.open, rows.high, rows.low, rows.close, rows.volume)
        every = [
            Bar(rows.symbol, "1m", *row)
            for row in zip(*(c.tolist() for c in columns), strict=True)
            if row[0] >= TRAIN_UNTIL
        ]
        for step, bar in zip(steps, every, strict=False):
            step.append(Frame(BARS, [bar]))
            step.append(Frame(TICKS, trades(replace(bar, symbol=f"T{bar.symbol}"))))
    return [step for step in steps if step]


def trades(bar: Bar) -> list[Tick]:
    """Return four trades whose bar is that bar, each with the id by which it is known once."""
    volume = max(bar.volume or 0.0, 1e-6) / 4
    low_first = bar.close >= bar.open
    prices = (bar.open, bar.low, bar.high, bar.close) if low_first else (bar.open, bar.high, bar.low, bar.close)
    return [
        Tick(bar.symbol, bar.time + at * QUARTER_MS, price, volume, "buy", f"{bar.time + at}", "chaos")
        for at, price in enumerate(prices)
    ]


def together(steps: Sequence[Sequence[Frame]], chance: random.Random) -> Iterator[Frame]:
    """Yield the frames of some steps at a time, each symbol's records of these steps as one frame."""
    start = 0
    while start < len(steps):
        size = chance.choice((1, 1, 1, 2, 5))
        groups: dict[tuple[str, str], list[Struct]] = {}
        topics: dict[tuple[str, str], Topic] = {}
        for step in steps[start : start + size]:
            for frame in step:
                place = frame.topic.name, frame.key
                topics[place] = frame.topic
                groups.setdefault(place, []).extend(frame.records)
        yield from (Frame(topics[place], records) for place, records in groups.items())
        start += size


def regrouped(frames: Sequence[Frame], rows: int) -> Iterator[Frame]:
    """Yield the same records in frames of about so many rows, each symbol's in their order."""
    open_: dict[tuple[str, str], list[Struct]] = {}
    topics: dict[str, Topic] = {frame.topic.name: frame.topic for frame in frames}
    for frame in frames:
        place = frame.topic.name, frame.key
        held = open_.setdefault(place, [])
        held.extend(frame.records)
        if len(held) >= rows:
            yield Frame(frame.topic, open_.pop(place))
    yield from (Frame(topics[place[0]], held) for place, held in open_.items())


@dataclass(kw_only=True)
class Feed:
    """Sends a ledger in a thread of its own. `sent_time` is the event time that Kafka has confirmed."""

    bootstrap: Address
    frames: Sequence[Frame]
    pause_s: float = 0.0
    sent: int = 0
    again: int = 0
    sent_time: int = 0
    failed: list[BaseException] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> threading.Thread:
        """Begin, and return the thread."""
        thread = threading.Thread(target=self._run, name="feed", daemon=True)
        thread.start()
        return thread

    def end(self, thread: threading.Thread, all_of_it: bool = False) -> int:
        """End it, at once or when all is sent; return how many frames Kafka has. Raises what it failed of."""
        if not all_of_it:
            self.stopping.set()
        thread.join()
        if self.failed:
            raise self.failed[0]
        return self.sent

    def _run(self) -> None:
        try:
            asyncio.run(self._send())
        except BaseException as error:  # noqa: BLE001 - raised by whoever waits for the feed
            self.failed.append(error)

    async def _send(self) -> None:
        """Send one frame after the other; what was not confirmed is sent again by a new producer."""
        begun = time.monotonic()
        place = 0
        while place < len(self.frames) and not self.stopping.is_set():
            to_kafka = producer(self.bootstrap, linger_ms=0, request_timeout_ms=10_000)
            try:
                await to_kafka.start()
                while place < len(self.frames) and not self.stopping.is_set():
                    frame = self.frames[place]
                    value = codec.encode(frame.records)
                    await to_kafka.send_and_wait(
                        frame.topic.name, value, key=frame.key.encode(), headers=list(codec.HEADERS)
                    )
                    place += 1
                    self.sent = place
                    self.sent_time = max(self.sent_time, int(frame.records[-1].time))
                    await asyncio.sleep(max(0.0, begun + place * self.pause_s - time.monotonic()))
            except (KafkaError, OSError):
                self.again += 1
                await asyncio.sleep(AGAIN_S)
            finally:
                await _closed(to_kafka.stop)


async def _closed(stop: Callable[[], object]) -> None:
    """Stop a producer; one that cannot flush any more is left behind."""
    try:
        async with asyncio.timeout(5.0):
            await stop()
    except (TimeoutError, KafkaError, OSError, AssertionError):
        return

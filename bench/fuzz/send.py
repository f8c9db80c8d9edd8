"""Sends inputs as the stack's own user, and reads the dead letters that come of them."""

import asyncio
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError

from bench.fuzz.corpus import STAGE, as_json, normal
from bench.fuzz.generate import COMPRESSIONS, Generator, Input
from broker import clients
from broker.decision_signature import is_signed
from settings.broker import Broker
from topics import codec
from topics.catalog import DEAD_LETTERS, MODELS, TOPICS
from topics.codec import DecodedFrame
from topics.records import DeadLetter, ModelEvent
from topics.value_size import BOUNDS

BATCH = 40
SIZE = 64 << 20
RING = 400
"""The last inputs, which are written to a file where something is wrong."""
SERVING = ("gbm", "naive", "online")
"""The models of the stack."""
RECENT = 20_000
"""Inputs that are remembered until their letters come, but for large ones."""
LARGE = 20_000

Place = tuple[str, int, int]


def frame_of(result: Input, time_ms: int) -> DecodedFrame[Any]:
    """Return what the codec reads of an input that the broker appended at a time."""
    return codec.decode(result.value, result.topic.record, result.headers, latest=BOUNDS.latest(time_ms))


def of_witness(result: Input, witnesses: frozenset[str], time_ms: int) -> bool:
    """Return whether it is a valid record of a witness, or one of what a worker did with a model that serves.

    Neither is an attack: who may write there tells the truth.
    """
    return any(
        getattr(record, "symbol", None) in witnesses or (isinstance(record, ModelEvent) and record.model in SERVING)
        for record in frame_of(result, time_ms + 60_000).records
    )


def _unreadable(letter: DeadLetter) -> bool:
    """Return whether the codec refuses what a letter is about."""
    topic = next((one for one in TOPICS if one.name == letter.topic), None)
    return topic is not None and letter.size is None and bool(codec.decode(letter.value, topic.record).rejected)


@dataclass(kw_only=True)
class Sender:
    """Sends in a thread of its own, a batch at a time, while `may` lets it."""

    address: Broker
    generator: Generator
    witnesses: frozenset[str]
    may: Callable[[], bool]
    most_a_second: float = 200.0
    sent: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    waited_s: float = 0.0
    invalid: dict[Place, str] = field(default_factory=dict)
    """Where what the codec does not take whole lies, and why that is."""
    unsigned: set[int] = field(default_factory=set)
    """The offsets of decisions that the ledger did not sign."""
    places: set[Place] = field(default_factory=set)
    others: dict[Place, tuple[Place, str]] = field(default_factory=dict)
    """By the place of a letter what it says of a record that the codec refuses and that was not known to be ours."""
    letters: Counter[tuple[str, str]] = field(default_factory=Counter)
    new: dict[tuple[str, str], Input] = field(default_factory=dict)
    ring: deque[Input] = field(default_factory=lambda: deque(maxlen=RING))
    failed: list[BaseException] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    _recent: "OrderedDict[Place, tuple[Input, bool]]" = field(default_factory=OrderedDict)
    _producers: dict[str | None, Any] = field(default_factory=dict)

    def start(self) -> threading.Thread:
        """Begin, and return the thread."""
        thread = threading.Thread(target=self._run, name="fuzz", daemon=True)
        thread.start()
        return thread

    def end(self, thread: threading.Thread) -> None:
        """End it. Raises what it failed of."""
        self.stopping.set()
        thread.join(120)
        if self.failed:
            raise self.failed[0]

    def write_ring(self, path: Path) -> None:
        """Write the last inputs to a file, the newest last."""
        path.write_text("".join(as_json(one, f"input {one.number}: {one.kind}") for one in list(self.ring)))

    def _run(self) -> None:
        try:
            asyncio.run(self._send())
        except BaseException as error:  # noqa: BLE001 - raised by whoever ends it
            self.failed.append(error)

    async def _send(self) -> None:
        reading = asyncio.create_task(self._read())
        try:
            await self._connect()
            while not self.stopping.is_set():
                if reading.done():
                    await reading
                begun = time.monotonic()
                if not self.may():
                    await asyncio.sleep(0.2)
                    self.waited_s += time.monotonic() - begun
                    continue
                await asyncio.gather(*[self._one(one) for one in self._batch()])
                await asyncio.sleep(max(0.01, begun + BATCH / self.most_a_second - time.monotonic()))
            await asyncio.sleep(5.0)  # the letters about the last ones
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            for producer in self._producers.values():
                await producer.stop()

    def _batch(self) -> list[Input]:
        inputs = []
        for one in (self.generator.next() for _ in range(BATCH)):
            if of_witness(one, self.witnesses, int(time.time() * 1000)):
                self.left_out += 1
            else:
                inputs.append(one)
        return inputs

    async def _connect(self) -> None:
        for compression in COMPRESSIONS:
            made = clients.producer(
                self.address, compression_type=compression, max_request_size=SIZE, max_batch_size=16_384, linger_ms=5
            )
            await made.start()
            self._producers[compression] = made

    async def _one(self, one: Input) -> None:
        producer = self._producers[one.compression]
        self.ring.append(one)
        try:
            done = await producer.send(
                one.topic.name, one.value, key=one.key, partition=one.partition, headers=one.headers
            )
            at = await done
        except KafkaError as error:
            self.refused[type(error).__name__] += 1
            return
        self._note(one, (at.topic, at.partition, at.offset), at.timestamp)

    def _note(self, one: Input, place: Place, time_ms: int) -> None:
        self.sent[one.topic.name] += 1
        self.places.add(place)
        frame = frame_of(one, time_ms)
        signed = is_signed(self.generator.ledger_key, one.value, one.headers)
        if one.topic is MODELS and not signed:
            self.unsigned.add(place[2])
        elif frame.rejected:
            self.invalid[place] = frame.rejected[0].reason[:200]
        if len(one.value or b"") <= LARGE:
            self._recent[place] = one, bool(frame.rejected)
            while len(self._recent) > RECENT:
                self._recent.popitem(last=False)

    async def _read(self) -> None:
        """Take in the dead letters; what has a reason that was not seen before is kept."""
        consumer = clients.consumer(
            self.address, DEAD_LETTERS.name, enable_auto_commit=False, auto_offset_reset="latest"
        )
        await consumer.start()
        try:
            async for message in consumer:
                for letter in codec.decode(message.value, DeadLetter, message.headers).records:
                    place = letter.topic, letter.partition, letter.offset
                    self.take(place, letter.reason)
                    if place not in self.places and _unreadable(letter):
                        self.others[message.topic, message.partition, message.offset] = place, letter.reason
        finally:
            await consumer.stop()

    def own(self) -> list[str]:
        """Return what the letters say of records that the stack itself has written and does not read."""
        return [
            f"{place}: {reason}"
            for letter, (place, reason) in self.others.items()
            if letter not in self.places and place not in self.places
        ]

    def take(self, place: Place, why: str) -> None:
        """Take in the dead letter about a place."""
        results = self._recent.get(place)
        if results is None and place[0] not in self.sent:
            return  # made up
        one, invalid = results or (None, True)
        topic, reason = place[0], normal(why) if invalid else f"{STAGE}{normal(why)}"
        self.letters[topic, reason] += 1
        if one is not None and (topic, reason) not in self.new:
            self.new[topic, reason] = one
            self.generator.keep(one)

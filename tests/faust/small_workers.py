"""Small workers as processes on a real broker, ticks for them, and what became of these."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import stamina
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import ClusterAuthorizationFailedError, GroupCoordinatorNotAvailableError, KafkaError
from stacks import environment_of

from broker import clients
from broker.admin import changelog
from broker.producer import producer
from broker.reader import between
from settings import ROOT
from settings.broker import Address, Broker
from topics import codec
from topics.catalog import BARS, TICKS, WORKER_GROUP, Topic
from topics.records import Bar

START, MINUTE = 1_748_044_800_000, 60_000
DEADLINE_S = 120.0
T = TypeVar("T")


def minute(symbol: str, number: int) -> list[bytes]:
    """Return the values of one minute's ticks, whose bar `expected` tells."""
    time_ms = START + number * MINUTE
    prices = (100.0 + number, 101.0 + number, 99.0 + number, 100.5 + number)
    return [
        json.dumps(
            {
                "symbol": symbol,
                "time": time_ms + at * 15_000,
                "price": price,
                "amount": 1.0,
                "trade_id": f"{number}-{at}",
            }
        ).encode()
        for at, price in enumerate(prices)
    ]


def expected(minutes: int) -> list[tuple[int, float, float, float, float]]:
    """Return time and prices of the bars of so many minutes, but for the last, which is still open."""
    return [
        (START + number * MINUTE, 100.0 + number, 101.0 + number, 99.0 + number, 100.5 + number)
        for number in range(minutes - 1)
    ]


@dataclass(kw_only=True)
class Workers:
    """Processes of `small_worker`, in a folder of their own, by name; `open` is where foreign clients go."""

    kafka: Broker
    open: str
    home: Path
    told: Mapping[str, str] = field(default_factory=dict)
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str, **fields: str) -> "subprocess.Popen[bytes]":
        """Start one under a name."""
        environment = environment_of(self.home) | self._kafka() | {"FORETICK_WORKER_NAME": name}
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        with (self.home / f"{name}.log").open("a") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-u", str(Path(__file__).with_name("small_worker.py"))],
                cwd=ROOT,
                env=environment | {"PYTHONPATH": paths} | dict(self.told) | fields,
                stdout=log,
                stderr=log,
            )
        return self.running[name]

    def _kafka(self) -> dict[str, str]:
        who = {"_USER": self.kafka.user, "_PASSWORD": self.kafka.password.get_secret_value()} if self.kafka.user else {}
        return {f"FORETICK_KAFKA{part}": value for part, value in {"": self.kafka.servers, **who}.items()}

    def end(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send a signal, wait for the end, and return the exit code."""
        process = self.running.pop(name)
        if process.poll() is None:
            process.send_signal(number)
        return process.wait(60)

    def stop(self) -> None:
        """Kill all."""
        for name in list(self.running):
            self.end(name)

    def log(self, name: str) -> str:
        """Return what one has logged."""
        return (self.home / f"{name}.log").read_text()


class Load:
    """Sends minutes of ticks of some symbols in a thread, until it is told to stop; `sent` is how many minutes."""

    def __init__(self, kafka: Address, symbols: Iterable[str], pause_s: float) -> None:
        self._kafka, self._symbols, self._pause_s = kafka, tuple(symbols), pause_s
        self.sent, self._stopping = 0, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()

    def stop(self) -> int:
        """Stop, and return how many minutes were sent."""
        self._stopping.set()
        self._thread.join()
        return self.sent

    async def _run(self) -> None:
        async for attempt in stamina.retry_context(ClusterAuthorizationFailedError, timeout=30.0, attempts=None):
            with attempt:  # a broker learns of the user's rights a little after they were given
                await self._send()

    async def _send(self) -> None:
        async with producer(self._kafka) as to_kafka:
            while not self._stopping.is_set():
                for symbol in self._symbols:
                    for value in minute(symbol, self.sent):
                        await to_kafka.send(TICKS.name, value, key=symbol.encode())
                await to_kafka.flush()
                self.sent += 1
                await asyncio.sleep(self._pause_s)


def send(kafka: Address, symbols: Iterable[str], minutes: Iterable[int]) -> None:
    """Send minutes of ticks, and return when Kafka has them."""

    async def run() -> None:
        async with producer(kafka) as to_kafka:
            for number in minutes:
                for symbol in symbols:
                    for value in minute(symbol, number):
                        await to_kafka.send(TICKS.name, value, key=symbol.encode())
            await to_kafka.flush()

    asyncio.run(run())


Row = tuple[int, float, float, float, float]


def bars(kafka: Address) -> dict[str, list[Row]]:
    """Return time and prices of each symbol's bars on the topic; one that came again must be the same."""
    values: dict[str, dict[int, Row]] = {}
    for value in asyncio.run(_values(kafka, BARS)):
        for bar in codec.decode(value, Bar).records:
            row = (bar.time, bar.open, bar.high, bar.low, bar.close)
            assert values.setdefault(bar.symbol, {}).setdefault(bar.time, row) == row
    return {symbol: [rows[at] for at in sorted(rows)] for symbol, rows in values.items()}


def fewest(kafka: Address, symbols: Iterable[str]) -> int:
    """Return how many bars the symbol has that has fewest."""
    values = bars(kafka)
    return min(len(values.get(symbol, ())) for symbol in symbols)


async def ends_of(kafka: Address, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Return where partitions end."""
    consumer = clients.consumer(kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        return dict(await consumer.end_offsets(partitions))
    finally:
        await consumer.stop()


async def _values(kafka: Address, topic: Topic) -> list[bytes]:
    consumer = clients.consumer(kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        parts = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        starts, ends = await consumer.beginning_offsets(parts), await consumer.end_offsets(parts)
        return [message.value async for message in between(consumer, starts, ends)]
    finally:
        await consumer.stop()


def asked(kafka: Address, ask: Callable[[AIOKafkaAdminClient], Awaitable[T]]) -> T:
    """Ask an admin client."""

    async def run() -> T:
        admin = clients.admin(kafka)
        await admin.start()
        try:
            return await ask(admin)
        finally:
            await admin.close()

    return asyncio.run(run())


def committed(kafka: Address) -> int:
    """Return the sum of the offsets of `ticks` that the group has committed; 0 if there is no group yet."""
    try:
        result = asked(kafka, lambda admin: admin.list_consumer_group_offsets(WORKER_GROUP))
    except GroupCoordinatorNotAvailableError:
        return 0
    return sum(max(at.offset, 0) for part, at in result.items() if part.topic == TICKS.name)


def until(what: str, condition: Callable[[], bool], seconds: float = DEADLINE_S) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (KafkaError, OSError):
            pass  # a broker that is away for now
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


def changelog_partitions() -> list[TopicPartition]:
    """Return the partitions of the stage's changelog."""
    return [TopicPartition(changelog("bars"), number) for number in range(TICKS.partitions)]

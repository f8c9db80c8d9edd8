"""Kafka falls silent under a command: that is told within seconds, and it goes on, or ends after the time stated."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from stacks import Servers, environment_of, running

from broker.admin import create_topics
from broker.availability import KafkaWatchdog
from broker.errors import KafkaAwayError
from broker.reader import between
from settings import ROOT
from stack import state
from topics import codec
from topics.catalog import BARS
from topics.records import Bar

T, M, ROWS = 1_600_000_020_000, 60_000, 600
DEADLINE_S = 150.0


def test_a_failed_answer_counts_as_silence_and_a_received_one_does_not() -> None:
    watchdog = KafkaWatchdog("here", 60.0, lambda _: None)
    assert watchdog.quiet_s() == 0.0
    with pytest.raises(OSError, match="lost"), watchdog.expecting():
        raise OSError("lost")
    assert watchdog.quiet_s() > 0.0
    with watchdog.expecting():
        pass
    assert watchdog.quiet_s() == 0.0


def test_work_that_expects_no_answer_is_never_cancelled() -> None:
    """A replay at the pace of the market sleeps for minutes between two frames."""

    async def waits(watchdog: KafkaWatchdog, owes: bool) -> str:
        if not owes:
            await asyncio.sleep(1.5)
            return "done"
        with watchdog.expecting():
            await asyncio.sleep(60)
            return "never"

    assert asyncio.run((a := KafkaWatchdog("here", 0.5, lambda _: None)).watch(waits(a, owes=False))) == "done"
    with pytest.raises(KafkaAwayError, match=r"Kafka at here has not answered for 0\.5 s"):
        asyncio.run((a := KafkaWatchdog("here", 0.5, lambda _: None)).watch(waits(a, owes=True)))


@pytest.fixture(scope="module")
def kafka() -> Iterator[Servers]:
    with running(("kafka",)) as servers:
        create_topics(servers.broker)
        yield servers


def broker(servers: Servers) -> psutil.Process:
    current = state.read(servers.home)
    pid = current.components["kafka"].pid if current else None
    assert pid is not None
    return psutil.Process(pid)


@contextmanager
def command(servers: Servers, home: Path, patience_s: float, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    fields = {"FORETICK_KAFKA": servers.kafka, "FORETICK_KAFKA_TIMEOUT_S": str(patience_s), "FORETICK_FRAME_ROWS": "5"}
    home.mkdir(exist_ok=True)
    with (home / "stderr").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", *arguments],
            cwd=ROOT,
            env=environment_of(home) | fields,
            stderr=errors,
            stdout=subprocess.DEVNULL,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def until(true: Callable[[], object], home: Path) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, said(home)
        time.sleep(0.1)


def said(home: Path) -> str:
    return (home / "stderr").read_text()


def half_way(home: Path) -> bool:
    """Return whether Kafka has confirmed some rows."""
    files = (home / "replay").glob("*.json")
    return any(json.loads(path.read_text())["positions"] for path in files)


def file(folder: Path, symbol: str) -> Path:
    path = folder / f"{symbol}.csv"
    lines = [f"{T + minute * M},10,12,9,11,5" for minute in range(ROWS)]
    path.write_text("\n".join(["time,open,high,low,close,volume", *lines]))
    return path


def minutes(servers: Servers, symbol: str) -> list[int]:
    async def every() -> list[Bar]:
        consumer = AIOKafkaConsumer(bootstrap_servers=servers.kafka, enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = [TopicPartition(BARS.name, number) for number in range(BARS.partitions)]
            ends = await consumer.end_offsets(partitions)
            results = [one async for one in between(consumer, dict.fromkeys(partitions, 0), ends)]
        finally:
            await consumer.stop()
        return [bar for one in results if one.key == symbol.encode() for bar in codec.decode(one.value, Bar).records]

    return [(bar.time - T) // M for bar in asyncio.run(every())]


@pytest.mark.long
@pytest.mark.services
def test_a_replay_says_that_kafka_hangs_and_goes_on(kafka: Servers, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with command(kafka, home, 100, "replay", str(file(tmp_path, "HANGUSDT")), "--speed", "3000x") as process:
        until(lambda: half_way(home), home)
        frozen = broker(kafka)
        frozen.suspend()
        try:
            until(lambda: "does not answer: waiting, for 100 s at most" in said(home), home)
        finally:
            frozen.resume()
        assert process.wait(DEADLINE_S) == 0, said(home)
    assert "answers again" in said(home)
    assert minutes(kafka, "HANGUSDT") == list(range(ROWS))


@pytest.mark.long
@pytest.mark.services
def test_a_replay_goes_on_after_a_broker_that_was_killed(kafka: Servers, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with command(kafka, home, 100, "replay", str(file(tmp_path, "KILLUSDT")), "--speed", "3000x") as process:
        until(lambda: half_way(home), home)
        os.kill(broker(kafka).pid, signal.SIGKILL)
        assert process.wait(DEADLINE_S) == 0, said(home)
    assert minutes(kafka, "KILLUSDT") == list(range(ROWS))


@pytest.mark.services
def test_a_replay_ends_when_kafka_stays_silent_and_the_same_command_goes_on(kafka: Servers, tmp_path: Path) -> None:
    home, again = tmp_path / "home", ("replay", str(file(tmp_path, "GONEUSDT")), "--speed", "3000x")
    with command(kafka, home, 5, *again) as process:
        until(lambda: half_way(home), home)
        frozen = broker(kafka)
        frozen.suspend()
        try:
            assert process.wait(DEADLINE_S) == 3, said(home)
        finally:
            frozen.resume()
    last = said(home).strip().splitlines()[-1]
    assert last == (
        f"foretick: Kafka at {kafka.kafka} has not answered for 5 s: the same command continues where this one stopped"
    )
    with command(kafka, home, 100, *again) as process:
        assert process.wait(DEADLINE_S) == 0, said(home)
    assert minutes(kafka, "GONEUSDT") == list(range(ROWS))


@pytest.mark.long
@pytest.mark.services
def test_topics_tail_follow_ends_when_kafka_stays_silent(kafka: Servers, tmp_path: Path) -> None:
    home = tmp_path / "home"
    frozen = broker(kafka)
    with command(kafka, home, 6, "topics", "tail", "bars", "--follow") as process:
        time.sleep(3)
        frozen.suspend()
        try:
            assert process.wait(DEADLINE_S) == 3, said(home)
        finally:
            frozen.resume()
    lines = said(home).strip().splitlines()
    assert lines == [
        f"Kafka at {kafka.kafka} does not answer: waiting, for 6 s at most",
        f"foretick: Kafka at {kafka.kafka} has not answered for 6 s",
    ]

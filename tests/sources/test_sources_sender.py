"""A replay onto Kafka, the real one and one in memory: everything arrives once, whatever happens to it on its way."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord
from memory_kafka import MemoryKafka
from pydantic import PrivateAttr
from stacks import Servers, kafka_environment

from broker.admin import create_topics
from broker.reader import between, reader
from settings import ROOT, Settings
from settings.broker import Address
from sources.errors import SourceError
from sources.reading.counts import Counts
from sources.reading.request import ReadRequest
from sources.replay.backfill import replay
from topics import codec
from topics.catalog import BARS, DEAD_LETTERS, TICKS, Topic
from topics.records import Bar, DeadLetter, Tick

T = 1_600_000_020_000
M = 60_000
HEADER = "time,open,high,low,close,volume\n"


def _bars_file(path: Path, rows: int) -> Path:
    path.write_text(HEADER + "".join(f"{T + minute * M},10,12,9,11,{minute % 7}\n" for minute in range(rows)))
    return path


@pytest.fixture(scope="module")
def kafka(servers) -> Servers:
    create_topics(servers.broker)
    return servers


@pytest.fixture
def settings(kafka: Servers, tmp_path: Path) -> Settings:
    return Settings(**kafka.as_stack(), home=tmp_path / "home", frame_rows=100)


class StoppedError(Exception):
    """What ends a replay in the middle; the other test ends one as Ctrl-C does."""


class InMemory(Settings):
    """Settings that lead to a Kafka in memory."""

    _kafka: MemoryKafka = PrivateAttr(default_factory=MemoryKafka)

    @property
    def broker(self) -> Any:
        return self._kafka


@pytest.fixture
def in_memory(tmp_path: Path) -> Settings:
    """For what a replay remembers of itself, where Kafka only has to keep what it got."""
    return InMemory(home=tmp_path / "home", frame_rows=100)


async def _all(bootstrap: Address, topic: Topic) -> list[ConsumerRecord]:
    async with reader(bootstrap) as consumer:
        partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        ends = await consumer.end_offsets(partitions)
        return [record async for record in between(consumer, dict.fromkeys(partitions, 0), ends)]


def _read(bootstrap: Address, topic: Topic, key: str) -> Iterator[ConsumerRecord]:
    return (record for record in asyncio.run(_all(bootstrap, topic)) if record.key == key.encode())


def _bars(bootstrap: Address, symbol: str) -> list[Bar]:
    frames = [codec.decode(record.value, Bar, record.headers) for record in _read(bootstrap, BARS, symbol)]
    assert not any(frame.rejected for frame in frames)
    return [bar for frame in frames for bar in frame.records]


def _minutes(bars: list[Bar]) -> list[int]:
    return [(bar.time - T) // M for bar in bars]


@pytest.mark.services
def test_bars_arrive_in_frames_keyed_by_symbol(settings: Settings, tmp_path: Path) -> None:
    counts = replay([_bars_file(tmp_path / "KAFKAAUSDT.csv", 250)], settings)
    records = list(_read(settings.broker, BARS, "KAFKAAUSDT"))
    assert len({record.partition for record in records}) == 1
    lengths = [len(codec.decode(record.value, Bar, record.headers).records) for record in records]
    assert lengths[:2] == [100, 100]
    assert max(lengths) == 100
    assert all((codec.VERSION_HEADER, codec.VERSION) in record.headers for record in records)
    assert _minutes(_bars(settings.broker, "KAFKAAUSDT")) == list(range(250))
    assert (counts.sent, counts.bars, counts.delivered_before) == (250, 250, 0)


def test_a_complete_replay_sends_nothing_until_it_is_restarted(in_memory: Settings, tmp_path: Path) -> None:
    file = _bars_file(tmp_path / "KAFKABUSDT.csv", 150)
    replay([file], in_memory)
    again = replay([file], in_memory)
    assert again.complete_before
    assert len(_bars(in_memory.broker, "KAFKABUSDT")) == 150
    assert not replay([file], in_memory, restart=True).complete_before
    assert _minutes(_bars(in_memory.broker, "KAFKABUSDT")) == [*range(150), *range(150)]


def test_a_replay_that_stopped_goes_on_without_a_repeated_row(in_memory: Settings, tmp_path: Path) -> None:
    file = _bars_file(tmp_path / "KAFKACUSDT.csv", 1_000)

    def stop(counts: Counts, _total: int | None) -> None:
        if counts.sent >= 400:
            raise StoppedError

    with pytest.raises(StoppedError):
        replay([file], in_memory, on_progress=stop)
    counts = replay([file], in_memory)
    assert counts.delivered_before >= 400
    assert counts.sent == 1_000 - counts.delivered_before
    assert _minutes(_bars(in_memory.broker, "KAFKACUSDT")) == list(range(1_000))


def test_what_was_delivered_and_not_written_down_is_found_on_the_topic(in_memory: Settings, tmp_path: Path) -> None:
    file = _bars_file(tmp_path / "KAFKADUSDT.csv", 300)
    replay([file], in_memory)
    (written,) = (in_memory.home / "replay").glob("*.json")
    progress = json.loads(written.read_text())
    ends = progress["offsets"]["bars"]
    assert sum(ends.values()) >= 3
    at = next(record for record in _read(in_memory.broker, BARS, "KAFKADUSDT"))
    ends[str(at.partition)] = at.offset
    written.write_text(json.dumps(progress | {"complete": False, "positions": {}, "counts": None}))
    assert replay([file], in_memory).sent == 0
    assert len(_bars(in_memory.broker, "KAFKADUSDT")) == 300


@pytest.mark.services
def test_trades_of_one_time_are_all_sent_once_over_a_stop(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "KAFKAUSDT-trades.csv"
    file.write_text("time,price,amount\n" + "".join(f"{T + n // 10},{n + 1},1\n" for n in range(1_000)))

    def stop(counts: Counts, _total: int | None) -> None:
        if counts.sent >= 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay([file], settings, on_progress=stop)
    replay([file], settings)
    frames = [codec.decode(record.value, Tick) for record in _read(settings.broker, TICKS, "KAFKAUSDT")]
    assert [tick.price for frame in frames for tick in frame.records] == [n + 1 for n in range(1_000)]


def test_impossible_rows_become_dead_letters_once(in_memory: Settings, tmp_path: Path) -> None:
    file = tmp_path / "KAFKAEUSDT.csv"
    file.write_text(HEADER + f"{T},10,12,9,11,1\n{T + M},10,8,9,11,1\n{T + 2 * M},10,12,9,11,1\nbroken\n")
    assert replay([file], in_memory, ReadRequest(interval="1m")).impossible == 2
    assert replay([file], in_memory, ReadRequest(interval="1m")).complete_before
    dead_letters = [
        letter
        for record in _read(in_memory.broker, DEAD_LETTERS, file.name)
        for letter in codec.decode(record.value, DeadLetter).records
    ]
    assert sorted((letter.offset, letter.value) for letter in dead_letters) == [
        (2, f"{T + M},10,8,9,11,1".encode()),
        (4, b"broken"),
    ]


def test_a_paced_replay_sends_rows_when_they_are_due(in_memory: Settings, tmp_path: Path) -> None:
    file = _bars_file(tmp_path / "KAFKAFUSDT.csv", 30)
    began = time.monotonic()
    replay([file], in_memory, speed="1200x")
    assert time.monotonic() - began > 29 * 60 / 1200
    records = list(_read(in_memory.broker, BARS, "KAFKAFUSDT"))
    assert len(records) > 5
    assert _minutes(_bars(in_memory.broker, "KAFKAFUSDT")) == list(range(30))


@pytest.mark.services
def test_two_replays_of_one_file_do_not_run_at_once(settings: Settings, tmp_path: Path) -> None:
    file = _bars_file(tmp_path / "KAFKAGUSDT.csv", 300)
    refused = []

    def second(counts: Counts, _total: int | None) -> None:
        if not refused and counts.sent:
            lock = subprocess.run(
                _command(file), env=_environment(settings), capture_output=True, text=True, check=False, cwd=ROOT
            )
            refused.append((lock.returncode, lock.stderr))

    replay([file], settings, on_progress=second)
    ((code, message),) = refused
    assert code == 2
    assert "already running" in message


def test_no_kafka_is_said_in_one_line(tmp_path: Path) -> None:
    file = _bars_file(tmp_path / "KAFKAHUSDT.csv", 3)
    with pytest.raises(SourceError, match=r"no Kafka answers at 127\.0\.0\.1:9: `\./foretick up` starts one"):
        replay([file], Settings(kafka="127.0.0.1:9", home=tmp_path))


def _command(*files: Path) -> list[str]:
    run = "from cli.main import run; run()"
    return [sys.executable, "-c", run, "replay", *map(str, files), "--json"]


def _environment(settings: Settings) -> dict[str, str]:
    values = {"HOME": str(settings.home), "FRAME_ROWS": "20"}
    return {
        **os.environ,
        **kafka_environment(settings),
        **{f"FORETICK_{name}": value for name, value in values.items()},
    }


@pytest.mark.long
@pytest.mark.services
@pytest.mark.chaos
def test_a_replay_that_is_killed_again_and_again_sends_every_row_once(settings: Settings, tmp_path: Path) -> None:
    names = ("KAFKAKILLAUSDT", "KAFKAKILLBUSDT")
    files = [_bars_file(tmp_path / f"{name}.csv", 60_000) for name in names]
    kills = 0
    for aim in (5_000, 45_000, 85_000):
        running = subprocess.Popen(
            _command(*files), env=_environment(settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
        )
        while running.poll() is None and sum(len(_bars(settings.broker, name)) for name in names) < aim:
            time.sleep(0.05)
        running.send_signal(signal.SIGKILL)
        kills += running.wait() == -signal.SIGKILL
    done = subprocess.run(
        _command(*files), env=_environment(settings), capture_output=True, text=True, check=True, cwd=ROOT
    )
    summary = json.loads(done.stdout)
    assert kills >= 1
    assert summary["delivered_before"] > 0
    assert summary["delivered_before"] + summary["sent"] == 120_000
    for name in names:
        assert _minutes(_bars(settings.broker, name)) == list(range(60_000))

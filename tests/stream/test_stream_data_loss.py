"""What Kafka deleted before a reader got to it is told, offset by offset: metric, `gaps`, database and status."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.structs import OffsetAndTimestamp
from probing import of, scraped
from stacks import running
from stream_runs import Run

from broker.confirmed_send import KafkaWriter
from broker.data_loss import Jump, Loss, Losses, Positions, gap, lost
from settings import ADDRESSES, Settings
from stack import state
from stack.status_report import report
from stack.topic_lag import admin_client, committed_by, consumer_client
from topics.catalog import ALERTS_GROUP, BARS, PERSIST_GROUP, REGIMES, WORKER_GROUP
from topics.records import Bar, Regime

MINUTE = 60_000
T0 = 1_600_000_020_000
DEADLINE_S = 120.0
COMPONENTS = ("kafka", "postgres", "redis", "prepare", "worker", "persist", "alerts")
AT = TopicPartition("bars", 2)


class Message:
    def __init__(self, offset: int) -> None:
        self.offset = offset


def messages(*offsets: int) -> list[Message]:
    return [Message(offset) for offset in offsets]


def test_only_what_does_not_follow_the_fetch_before_is_a_jump() -> None:
    positions = Positions()
    assert positions.jumps({AT: messages(5, 6)}) == []  # nobody knows where it stood
    positions.stand(AT, 7)
    assert positions.jumps({AT: messages(7, 9)}) == []  # within one fetch nothing was deleted
    assert positions.jumps({AT: messages(12)}) == [Jump(AT, 10, 12)]
    assert positions.jumps({AT: messages(3)}) == []  # sought back: read again, and lost nothing
    assert positions.jumps({AT: messages(4)}) == []


def test_a_loss_is_counted_once_however_often_it_is_found() -> None:
    sent: list[Any] = []
    all_sent = asyncio.Event()

    class Kept(KafkaWriter):
        async def send(self, frames: Any) -> None:
            sent.extend(records for _, _, records in frames)
            if len(sent) == 2:
                all_sent.set()

    async def run() -> None:
        losses = Losses("group", Kept("nowhere"), ["bars"])
        for first, end in ((3, 8), (3, 8), (5, 10), (2, 9)):
            losses.note(Loss(topic="bars", partition=2, first=first, end=end, time=T0))
        sending = asyncio.create_task(losses.run())
        await all_sent.wait()
        sending.cancel()

    asyncio.run(run())
    assert sent == [
        [gap("group", Loss(topic="bars", partition=2, first=3, end=8, time=T0))],
        [gap("group", Loss(topic="bars", partition=2, first=8, end=10, time=T0))],
    ]
    assert [(one.first_offset, one.last_offset) for (one,) in sent] == [(3, 7), (8, 9)]


def test_a_jump_over_a_transactions_mark_is_no_loss() -> None:
    """The partition begins where it began: what lies between was never a record."""

    class Asked:
        async def beginning_offsets(self, partitions: Any) -> dict[TopicPartition, int]:
            return dict.fromkeys(partitions, 7)

        async def offsets_for_times(self, _: Any) -> dict[TopicPartition, OffsetAndTimestamp]:
            return {AT: OffsetAndTimestamp(7, T0)}

    losses = asyncio.run(lost(Asked(), [Jump(AT, 10, 12), Jump(AT, 7, 9), Jump(AT, 3, 5), Jump(AT, 4, 9)]))
    assert losses == [
        Loss(topic="bars", partition=2, first=3, end=5, time=T0),
        Loss(topic="bars", partition=2, first=4, end=7, time=T0),
    ]


class Stack:
    """A running pipeline of which records are deleted."""

    def __init__(self, run: Run) -> None:
        self.run, self.minutes = run, 0
        self.home = run.servers.home

    def send(self, count: int) -> TopicPartition:
        """Send so many Kafka records of one bar, and of one regime for the alerts; return the bars' partition."""

        async def every() -> TopicPartition:
            writer = KafkaWriter(self.run.servers.broker)
            for _ in range(count):
                time, self.minutes = T0 + self.minutes * MINUTE, self.minutes + 1
                bar = Bar("BTCUSDT", "1m", time, 1.0, 1.0, 1.0, 1.0, 1.0)
                (sent,) = await writer.post([(BARS, "BTCUSDT", [bar])])
                where = await sent
                await writer.send(
                    [
                        (
                            REGIMES,
                            "BTCUSDT",
                            [Regime(symbol="BTCUSDT", interval="1m", time=time, state="calm", posterior={"calm": 1.0})],
                        )
                    ]
                )
            await writer.stop()
            return TopicPartition(where.topic, where.partition)

        return asyncio.run(every())

    def delete(self, at: TopicPartition, keep: int = 0) -> int:
        """Delete all but the last records of a partition; return the offset at which it begins now."""

        async def every() -> int:
            async with (
                admin_client(self.run.servers.broker) as admin,
                consumer_client(self.run.servers.broker) as asked,
            ):
                end = int((await asked.end_offsets([at]))[at]) - keep
                await admin.delete_records({at: RecordsToDelete(before_offset=end)})
                return end

        return asyncio.run(every())

    def committed(self, group: str, at: TopicPartition) -> int:
        async def every() -> int:
            async with admin_client(self.run.servers.broker) as admin:
                return int((await committed_by(admin, group)).get(at, 0))

        return asyncio.run(every())

    def read(self) -> None:
        until(lambda: all(count == 0 for count in self.run.behind().values()), "what was sent is not read")

    def process(self, name: str) -> psutil.Process:
        current = state.read(self.home)
        pid = current.components[name].pid if current else None
        assert pid is not None
        return psutil.Process(pid)

    def supervisor(self) -> psutil.Process:
        current = state.read(self.home)
        assert current is not None
        return psutil.Process(current.supervisor.pid)

    def metric(self, name: str, topic: str) -> float:
        port = json.loads((self.home / ADDRESSES).read_text())["metrics_ports"][name]
        return of(scraped(port), "lost_offsets_total", group=f"foretick-{name}", topic=topic)

    def told(self, reader: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.run.servers.database_url) as connection:
            query = "SELECT topic, partition, first_offset, last_offset FROM gaps WHERE reader = %s ORDER BY 1, 2, 3"
            return connection.execute(query, [reader]).fetchall()


def until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


@pytest.fixture(scope="module")
def stack(trained: Path) -> Iterator[Stack]:
    with running(COMPONENTS, trained) as servers:
        result = Stack(Run(servers))
        result.send(20)
        result.read()
        yield result


@pytest.mark.services
@pytest.mark.slow
def test_what_was_deleted_while_the_readers_were_away_is_told_exactly(stack: Stack) -> None:
    """Stopped as a crash would, they are started again when the records are gone; nothing new comes at first."""
    assert stack.told(WORKER_GROUP) == stack.told(PERSIST_GROUP) == stack.told(ALERTS_GROUP) == []
    names = {"worker": WORKER_GROUP, "persist": PERSIST_GROUP, "alerts": ALERTS_GROUP}
    frozen = [stack.process(name) for name in names]
    for process in frozen:
        process.send_signal(signal.SIGSTOP)
    bars = stack.send(30)
    regimes = TopicPartition(REGIMES.name, bars.partition)
    stood = {(group, at): stack.committed(group, at) for group in names.values() for at in (bars, regimes)}
    ends = {bars: stack.delete(bars, keep=4), regimes: stack.delete(regimes)}
    for process in frozen:
        process.send_signal(signal.SIGKILL)
    wanted = {
        WORKER_GROUP: {(bars.topic, bars.partition, stood[WORKER_GROUP, bars], ends[bars] - 1)},
        PERSIST_GROUP: {(at.topic, at.partition, stood[PERSIST_GROUP, at], ends[at] - 1) for at in (bars, regimes)},
        ALERTS_GROUP: {(regimes.topic, regimes.partition, stood[ALERTS_GROUP, regimes], ends[regimes] - 1)},
    }
    for group, losses in wanted.items():
        until(lambda g=group, w=losses: set(stack.told(g)) == w, f"{group}: {stack.told(group)}, not {losses}")
    count = ends[bars] - stood[PERSIST_GROUP, bars]
    assert count == 26
    assert stack.metric("persist", "bars") == stack.metric("worker", "bars") == count
    assert stack.metric("alerts", "regimes") == ends[regimes] - stood[ALERTS_GROUP, regimes] >= 30
    shown = report(Settings(home=stack.home), ())
    assert any(f"foretick-persist lost {count} Kafka records of bars" in line for line in shown.warnings)
    # Past it, all goes on: what was kept is stored, and what is told is told once.
    stack.send(1)
    stack.read()
    os.kill(stack.process("persist").pid, signal.SIGKILL)
    stack.send(1)
    stack.read()
    assert set(stack.told(PERSIST_GROUP)) == wanted[PERSIST_GROUP]


@pytest.mark.long
@pytest.mark.services
@pytest.mark.slow
def test_what_is_deleted_under_a_running_reader_is_told_exactly(stack: Stack) -> None:
    """The readers stand still and wake up behind the partition's beginning; their processes are the same.

    The supervisor stands still with them, as on a paused machine: else it would end who says nothing for a minute.
    """
    stack.read()
    before = {group: stack.told(group) for group in (WORKER_GROUP, PERSIST_GROUP, ALERTS_GROUP)}
    processes = {name: stack.process(name) for name in ("worker", "persist", "alerts")}
    bars = stack.send(1)
    regimes = TopicPartition(REGIMES.name, bars.partition)
    stack.read()
    frozen = (stack.supervisor(), processes["persist"], processes["alerts"])
    for process in frozen:
        process.send_signal(signal.SIGSTOP)
    stood = stack.committed(PERSIST_GROUP, bars)
    stack.send(8)
    until(lambda: stack.committed(WORKER_GROUP, bars) == stood + 8, "the worker has not read them")
    end = stack.delete(bars, keep=3)
    stack.delete(regimes, keep=3)
    for process in reversed(frozen):
        process.send_signal(signal.SIGCONT)
    stack.send(1)
    stack.read()
    until(lambda: any(one[0] == "bars" and one[3] == end - 1 for one in stack.told(PERSIST_GROUP)), "it is not told")
    reported = [(first, last) for topic, _, first, last in stack.told(PERSIST_GROUP) if topic == "bars"]
    # The broker may have handed out the first of them already, to a fetch that waited for news.
    assert reported[-1] in [(stood, end - 1), (stood + 1, end - 1)]
    assert sum(last - first + 1 for first, last in reported) == stack.minutes - stack.run.rows("bars")
    assert stack.told(WORKER_GROUP) == before[WORKER_GROUP]  # it had read them
    until(lambda: len(stack.told(ALERTS_GROUP)) == len(before[ALERTS_GROUP]) + 1, f"{stack.told(ALERTS_GROUP)}")
    assert {name: stack.process(name).pid for name in processes} == {name: one.pid for name, one in processes.items()}

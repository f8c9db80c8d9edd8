"""A record that the watcher fails on becomes a dead letter, the others are looked at, and each offset moves once."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from aiokafka import TopicPartition
from alert_records import START, regime
from msgspec import Struct
from msgspec.structs import replace

from alerts.consumer import BatchEvaluator
from broker import skipped_records
from broker.skipped_records import Skip, Skips
from stream.poison_records import DefectError, Guard
from topics import codec
from topics.catalog import DEAD_LETTERS, REGIMES, Topic
from topics.records import DeadLetter


@dataclass
class FailingWatcher:
    """A watcher that fails on one symbol, all or nothing."""

    error: Exception = field(default_factory=lambda: psycopg.DataError("a NUL"))
    seen: list[str] = field(default_factory=list)
    offsets: list[dict[tuple[str, int], int]] = field(default_factory=list)

    async def rule_set(self) -> Any:
        return SimpleNamespace(rules=[SimpleNamespace(on="regime")])

    async def take(
        self,
        records: Mapping[str, Sequence[Any]],
        offsets: Mapping[tuple[str, int], int],
        traceparent: str | None = None,  # noqa: ARG002 - the interface
    ) -> int:
        symbols = [record.symbol for rows in records.values() for record in rows]
        if "BAD" in symbols:
            raise self.error
        self.seen += symbols
        self.offsets += [dict(offsets)] if offsets else []
        return len(symbols)


@dataclass
class SentRecords:
    """Keeps what is sent."""

    sent: list[DeadLetter] = field(default_factory=list)

    async def send(self, frames: Sequence[tuple[Topic, str, Sequence[Struct]]]) -> None:
        for topic, _, records in frames:
            assert topic is DEAD_LETTERS
            self.sent += [record for record in records if isinstance(record, DeadLetter)]


def message(offset: int, *symbols: str) -> Any:
    value = codec.encode([replace(regime(1, "calm"), symbol=symbol) for symbol in symbols])
    place = {"topic": REGIMES.name, "partition": 0, "offset": offset, "timestamp": START + 3_600_000, "key": b"k"}
    return SimpleNamespace(value=value, headers=codec.HEADERS, **place)


def take(watch: FailingWatcher, writer: SentRecords, guard: Guard, *messages: Any) -> int:
    evaluator = BatchEvaluator(watch, guard, writer)
    return asyncio.run(evaluator.take({TopicPartition(REGIMES.name, 0): messages}))


def test_a_record_that_fails_is_found_and_the_others_are_looked_at_once() -> None:
    watch, writer = FailingWatcher(), SentRecords()
    assert take(watch, writer, Guard(), message(3, "A", "BAD", "B"), message(4, "C")) == 3
    assert watch.seen == ["A", "B", "C"]
    assert watch.offsets == [{("regimes", 0): 4}, {("regimes", 0): 5}]
    assert [(one.offset, one.row, one.reason) for one in writer.sent] == [(3, 1, "alerts: DataError: a NUL")]


@pytest.mark.parametrize("error", [psycopg.OperationalError("gone"), psycopg.errors.UndefinedTable("none"), OSError()])
def test_a_failure_of_a_server_or_the_machine_makes_no_dead_letter(error: Exception) -> None:
    watch, writer = FailingWatcher(error), SentRecords()
    with pytest.raises(type(error)):
        take(watch, writer, Guard(), message(3, "BAD"))
    assert (writer.sent, watch.offsets) == ([], [])


def test_deeply_nested_json_and_a_skipped_offset_do_not_hold_back_later_records(tmp_path: Any) -> None:
    path = tmp_path / "skips.json"
    skipped_records.change(
        path, [Skip(group="alerts", topic=REGIMES.name, partition=0, offset=4, why="passed over", time=0)]
    )
    deep = message(3, "A")
    deep.value = b"[" * 100_000
    watch, writer = FailingWatcher(), SentRecords()
    take(watch, writer, Guard(skips=Skips(path, "alerts")), deep, message(4, "BAD"), message(5, "B"))
    assert watch.seen == ["B"]
    assert watch.offsets == [{("regimes", 0): 6}]
    assert [(one.offset, one.reason) for one in writer.sent] == [(4, "passed over")]


def test_too_many_failing_records_stop_the_consumer() -> None:
    with pytest.raises(DefectError):
        take(FailingWatcher(), SentRecords(), Guard(records=1), message(3, "BAD"), message(4, "BAD"))

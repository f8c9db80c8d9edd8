"""Known defects of Faust and aiokafka, each as it would meet a stage, on a real broker. Numbers are their issues'."""

import os
import random
import signal
import time

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from confluent_kafka import Producer
from small_workers import (
    START,
    Load,
    Workers,
    asked,
    bars,
    changelog_partitions,
    committed,
    ends_of,
    expected,
    fewest,
    minute,
    send,
    until,
)

from topics.catalog import TICKS

pytestmark = [pytest.mark.services, pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(900)]

SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")
RESTARTS = int(os.environ.get("FORETICK_TEST_RESTARTS", "4"))
"""30 on demand: each takes some seconds."""


@pytest.mark.long
def test_commits_advance_after_every_restart_in_mid_recovery(workers: Workers) -> None:
    """faust#596: an interrupted recovery left a hole in the acknowledged offsets, and commits stopped for good."""
    chance = random.Random(3)  # noqa: S311 - no secret
    load = Load(workers.kafka, SYMBOLS, 0.1)
    try:
        for _ in range(RESTARTS):
            workers.start("a")
            time.sleep(chance.uniform(1.0, 3.5))  # while it joins, recovers, or has just begun to work
            workers.end("a")
            before = committed(workers.kafka)
            workers.start("a")
            until("commits advance", lambda before=before: committed(workers.kafka) > before)
            workers.end("a")
    finally:
        minutes = load.stop()
    workers.start("a")
    assert_complete(workers, minutes)


@pytest.mark.long
@pytest.mark.parametrize("left", [0, 1])
def test_a_changelog_that_lost_its_records_keeps_no_worker_from_starting(workers: Workers, left: int) -> None:
    """faust#597: an empty changelog with a high offset, or one of a single record, made the recovery wait for ever."""
    send(workers.kafka, SYMBOLS, range(20))
    workers.start("a")
    until("bars are there", lambda: fewest(workers.kafka, SYMBOLS) == 19)
    workers.end("a", signal.SIGTERM)
    _truncate(workers, left)
    send(workers.kafka, SYMBOLS, range(20, 40))
    workers.start("a")
    until("it goes on", lambda: fewest(workers.kafka, SYMBOLS) >= 38)
    until("all is committed", lambda: committed(workers.kafka) == len(SYMBOLS) * 160)


@pytest.mark.long
def test_records_that_vanish_while_they_are_recovered_do_not_stop_it(workers: Workers) -> None:
    """faust#651: segments deleted in mid-recovery left the consumer outside the partition."""
    load = Load(workers.kafka, SYMBOLS, 0.05)
    workers.start("a")
    until("it works", lambda: committed(workers.kafka) > 0)
    for _ in range(3):
        workers.end("a")
        workers.start("a")
        for _ in range(4):
            time.sleep(0.6)
            _truncate(workers, 0)
        before = committed(workers.kafka)
        until("commits advance", lambda before=before: committed(workers.kafka) > before)
    load.stop()


def assert_complete(workers: Workers, minutes: int) -> None:
    """Wait until each symbol has a bar of each minute but the last; each must be right."""
    until("all bars are there", lambda: fewest(workers.kafka, SYMBOLS) >= minutes - 1)
    for symbol, rows in bars(workers.kafka).items():
        assert rows == expected(minutes), symbol


def _truncate(workers: Workers, left: int) -> None:
    """Delete the records of the changelog, but for the last `left` of each partition."""

    async def delete(admin: AIOKafkaAdminClient) -> None:
        # Kafka deletes nothing on demand where a topic is only compacted.
        name = changelog_partitions()[0].topic
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name, {"cleanup.policy": "compact,delete"})]
        )
        ends = await ends_of(workers.kafka, changelog_partitions())
        await admin.delete_records({part: RecordsToDelete(max(0, end - left)) for part, end in ends.items()})

    asked(workers.kafka, delete)


def test_transactions_of_others_leave_no_hole_in_the_commits(workers: Workers) -> None:
    """faust#606: control records are offsets that no message has. Aborted ticks are read: see docs/why.md."""
    workers.start("a")
    foreign = Producer(
        {"bootstrap.servers": workers.open, "transactional.id": "foreign", "partitioner": "murmur2_random"}
    )
    foreign.init_transactions(30)
    for number in range(30):
        foreign.begin_transaction()
        for value in minute("AAA", number):
            foreign.produce(TICKS.name, value, key=b"AAA")
        foreign.commit_transaction(30)
        foreign.begin_transaction()
        foreign.produce(TICKS.name, minute("AAA", number)[0], key=b"AAA")  # the same trade once more
        foreign.flush(30)
        foreign.abort_transaction(30)
    until("all bars are there", lambda: bars(workers.kafka).get("AAA") == expected(30))
    send(workers.kafka, ["AAA"], [30])
    until("bars go on", lambda: bars(workers.kafka).get("AAA") == expected(31))
    until("the last tick is committed", lambda: committed(workers.kafka) == 30 * (4 + 1 + 1 + 1) + 4, 10)


@pytest.mark.long
def test_a_process_that_ends_within_a_rebalance_loses_nothing(workers: Workers) -> None:
    """faust#527, faust#315: what failed while partitions moved was acknowledged and gone."""
    once = str(workers.home / "failed")
    load = Load(workers.kafka, SYMBOLS, 0.1)
    try:
        first = workers.start("a", FAIL_AT=str(START + 150 * 60_000), FAIL_ONCE=once)
        until("it works", lambda: committed(workers.kafka) > 0)
        workers.start("b")
        until("it ended", lambda: first.poll() is not None)
        assert first.returncode == 70
        workers.start("a")
        time.sleep(1.0)
    finally:
        minutes = load.stop()
    assert_complete(workers, minutes)


@pytest.mark.parametrize("standbys", [pytest.param("0", marks=pytest.mark.long), "1"])
def test_another_worker_takes_over_with_and_without_a_standby(workers: Workers, standbys: str) -> None:
    """faust#676, faust#682: without standbys another assignor was used, and the changelogs were not read."""
    load = Load(workers.kafka, SYMBOLS, 0.1)
    try:
        for name in ("a", "b"):
            workers.start(name, FORETICK_STANDBY_REPLICAS=standbys)
        until("they work", lambda: committed(workers.kafka) > 100)
        workers.end("a")
        time.sleep(2.0)
    finally:
        minutes = load.stop()
    assert_complete(workers, minutes)


@pytest.mark.long
def test_a_rolling_restart_of_named_workers_moves_no_partition(workers: Workers) -> None:
    """A static member that comes back within the session timeout finds its place as it was."""
    load = Load(workers.kafka, SYMBOLS, 0.1)
    try:
        for name in ("a", "b", "c"):
            workers.start(name)
        until("they work", lambda: committed(workers.kafka) > 100)
        until("all have joined", lambda: all(_assigned(workers, name) for name in "abc"))
        time.sleep(5.0)
        for name in ("a", "b", "c"):
            before = {one: _assigned(workers, one) for one in "abc"}
            workers.end(name, signal.SIGTERM)
            workers.start(name)
            until("it is back", lambda name=name, before=before: _assigned(workers, name) > before[name])
            at = committed(workers.kafka)
            until("commits advance", lambda at=at: committed(workers.kafka) > at)
            assert {one: _assigned(workers, one) - before[one] for one in "abc"} == {**dict.fromkeys("abc", 0), name: 1}
    finally:
        minutes = load.stop()
    assert_complete(workers, minutes)


def _assigned(workers: Workers, name: str) -> int:
    """Return how often a worker has been given partitions."""
    return workers.log(name).count("Executing _on_partitions_assigned")

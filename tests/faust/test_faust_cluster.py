"""A worker on three brokers: no right to make topics, two copies of each record, and the death of its coordinator."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from small_workers import Load, Workers, asked, bars, committed, expected, fewest, until
from three_brokers import PASSWORD, Cluster, three_brokers

from broker.admin import create_topics
from settings.broker import at
from topics.catalog import WORKER_GROUP

pytestmark = [pytest.mark.services, pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(600)]

SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
ALLOWED = {
    ResourceType.TOPIC: (AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS),
    ResourceType.GROUP: (AclOperation.READ, AclOperation.DESCRIBE),
}
"""All that a worker may do; to make a topic is not among it."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Give three brokers that have all topics, want two copies of each record, and let nobody make a topic."""
    with three_brokers(tmp_path) as result:
        create_topics(result.admin, replication=3)
        client = AdminClient(
            {
                "bootstrap.servers": result.admin.servers,
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "PLAIN",
                "sasl.username": "admin",
                "sasl.password": PASSWORD,
            }
        )
        bindings = [
            AclBinding(
                kind, "*", ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", operation, AclPermissionType.ALLOW
            )
            for kind, operations in ALLOWED.items()
            for operation in operations
        ]
        for made in client.create_acls(bindings).values():
            made.result(30)
        yield result


@pytest.mark.long
def test_a_worker_needs_no_right_to_make_topics_and_survives_the_death_of_its_coordinator(
    cluster: Cluster, tmp_path: Path
) -> None:
    """faust#390, #449: topics were made anew, otherwise. aiokafka#1154: stuck once the coordinator was gone."""
    until("every broker knows all topics", lambda: create_topics_or_say(cluster.open) == [], 30)
    workers = Workers(kafka=at(cluster.open), open=cluster.open, home=tmp_path)
    workers.start("a")
    load = Load(cluster.open, SYMBOLS, 0.1)
    try:
        until("it works", lambda: committed(cluster.open) > 100)
        coordinator = asked(cluster.admin, lambda admin: admin.find_coordinator(WORKER_GROUP))
        cluster.kill(coordinator)
        time.sleep(10.0)
        _goes_on(workers)
        cluster.start(coordinator)
        time.sleep(5.0)
        _goes_on(workers)
    finally:
        minutes = load.stop()
    until("all bars are there", lambda: _complete(workers, minutes))
    for symbol, rows in bars(cluster.open).items():
        assert rows == expected(minutes), symbol
    workers.stop()


def create_topics_or_say(kafka: str) -> object:
    """Return which topics were made, or what kept them from being made."""
    try:
        return create_topics(kafka)
    except RuntimeError as error:
        return error


def _complete(workers: Workers, minutes: int) -> bool:
    _revive(workers)
    return fewest(workers.kafka, SYMBOLS) >= minutes - 1


def _goes_on(workers: Workers) -> None:
    before = committed(workers.kafka)

    def more() -> bool:
        _revive(workers)
        return committed(workers.kafka) > before

    until("commits advance", more)


def _revive(workers: Workers) -> None:
    """Start it again where it has ended itself, as the supervisor does."""
    if workers.running["a"].poll() is not None:
        workers.start("a")

"""What a program without a login may do on our Kafka, and what it may not: each attack is made on the real one."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.structs import OffsetAndMetadata
from confluent_kafka import Producer
from stacks import Servers

from broker import clients
from broker.admin import STATES, changelog, create_topics
from settings.broker import Address
from stack.acls import RULES
from stack.topic_lag import admin_client
from topics.catalog import DEAD_LETTERS, GROUP_PREFIX, MODELS, PERSIST_GROUP, TICKS, TOPICS, WORKER_GROUP

pytestmark = pytest.mark.services

OPEN = sorted(topic.name for topic in TOPICS if topic.open)
CLOSED = [*sorted(topic.name for topic in TOPICS if not topic.open), *map(changelog, STATES)]


@pytest.fixture(scope="module")
def kafka(servers: Servers) -> Servers:
    create_topics(servers.broker)
    return servers


@asynccontextmanager
async def started(client: Any) -> AsyncIterator[Any]:
    """Start a client, and stop it also where it could not start."""
    try:
        await client.start()
        yield client
    finally:
        await client.stop()


async def write(address: Address, topic: str) -> None:
    async with started(clients.producer(address, enable_idempotence=True)) as producer:
        await producer.send_and_wait(topic, b"[]", key=b"NOBODY")


def ask(address: Address, question: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    """Return what an admin client is answered."""

    async def asked() -> Any:
        async with admin_client(address) as admin:
            return await question(admin)

    return asyncio.run(asked())


def end_of(address: Address, topic: str) -> int:
    async def read() -> int:
        async with started(clients.consumer(address)) as consumer:
            return int((await consumer.end_offsets([TopicPartition(topic, 0)]))[TopicPartition(topic, 0)])

    return asyncio.run(read())


def test_the_topics_that_programs_may_write_hold_data_and_no_decision() -> None:
    assert OPEN == ["bars", "features", "predictions", "ticks"]


@pytest.mark.parametrize("topic", OPEN)
def test_data_is_written_without_a_login(kafka: Servers, topic: str) -> None:
    asyncio.run(write(kafka.kafka, topic))


def test_a_program_that_is_not_ours_writes_and_reads_in_transactions_too(kafka: Servers) -> None:
    producer = Producer({"bootstrap.servers": kafka.kafka, "transactional.id": "a-program"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(TICKS.name, b"[]", b"NOBODY")
    producer.commit_transaction(30)


@pytest.mark.parametrize("topic", CLOSED)
def test_what_the_stack_says_is_written_by_nobody_else(kafka: Servers, topic: str) -> None:
    before = end_of(kafka.broker, topic)
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(write(kafka.kafka, topic))
    assert end_of(kafka.broker, topic) == before
    if topic == DEAD_LETTERS.name:
        asyncio.run(write(kafka.broker, topic))
        assert end_of(kafka.broker, topic) > before


def test_everything_is_read_without_a_login(kafka: Servers) -> None:
    assert ask(kafka.kafka, lambda admin: admin.describe_cluster())["cluster_id"]
    assert set(ask(kafka.kafka, lambda admin: admin.list_topics())) >= {topic.name for topic in TOPICS}

    async def read() -> bytes:
        async with started(
            clients.consumer(kafka.kafka, TICKS.name, group_id="a-program", auto_offset_reset="earliest")
        ) as consumer:
            record = await consumer.getone()
            await consumer.commit()
            return bytes(record.value)

    asyncio.run(write(kafka.kafka, TICKS.name))
    assert asyncio.run(read())
    assert end_of(kafka.kafka, MODELS.name) >= 0


@pytest.mark.parametrize("group", [WORKER_GROUP, PERSIST_GROUP, f"{GROUP_PREFIX}another"])
def test_no_program_joins_a_group_of_ours_or_moves_its_offsets(kafka: Servers, group: str) -> None:
    async def join() -> None:
        async with started(clients.consumer(kafka.kafka, TICKS.name, group_id=group)) as consumer:
            await consumer.getone()

    async def move() -> None:
        place = TopicPartition(TICKS.name, 0)
        async with started(clients.consumer(kafka.kafka, group_id=group, enable_auto_commit=False)) as consumer:
            consumer.assign([place])
            await consumer.commit({place: OffsetAndMetadata(0, "")})

    for attack in (join, move):
        with pytest.raises(GroupAuthorizationFailedError):
            asyncio.run(attack())


def refused(codes: list[int]) -> None:
    """Raise what the broker said."""
    for code in filter(None, codes):
        raise for_code(code)


async def delete_topic(admin: Any) -> None:
    refused([code for _, code in (await admin.delete_topics([MODELS.name])).topic_error_codes])


async def delete_records(admin: Any) -> None:
    await admin.delete_records({TopicPartition(TICKS.name, 0): RecordsToDelete(before_offset=-1)})


async def create_topic(admin: Any) -> None:
    answer = await admin.create_topics([NewTopic(f"{GROUP_PREFIX}forged-changelog", 1, 1)])
    refused([entry[1] for entry in answer.topic_errors])


async def shorten_retention(admin: Any) -> None:
    configs = ConfigResource(ConfigResourceType.TOPIC, TICKS.name, configs={"retention.ms": "1"})
    for answer in await admin.alter_configs([configs]):
        refused([resource[0] for resource in answer.resources])


@pytest.mark.parametrize("attack", [delete_topic, delete_records, create_topic, shorten_retention])
def test_nothing_is_made_changed_or_deleted_without_a_login(
    kafka: Servers, attack: Callable[[Any], Coroutine[Any, Any, None]]
) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        ask(kafka.kafka, attack)
    assert {topic.name for topic in TOPICS} <= set(ask(kafka.broker, lambda admin: admin.list_topics()))


def test_nobody_comes_in_by_the_login_without_one_or_with_another(kafka: Servers) -> None:
    with pytest.raises(KafkaError):
        ask(kafka.broker.servers, lambda admin: admin.list_topics())
    port = json.loads((kafka.home / "addresses.json").read_text())["kafka_controller_port"]
    with pytest.raises(KafkaError):
        ask(f"127.0.0.1:{port}", lambda admin: admin.list_topics())


def test_no_password_of_kafka_is_on_a_command_line_in_a_log_or_in_what_status_shows(kafka: Servers) -> None:
    password = kafka.broker.password.get_secret_value()
    for process in psutil.process_iter():
        try:
            assert password not in " ".join(process.cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    shown = ("supervisor.log", "state.json", "logs/kafka.log")
    for name in shown:
        assert password not in (kafka.home / name).read_text(), name
    for path in kafka.home.rglob("*"):
        if path.is_file() and path.stat().st_size < 1_000_000 and password.encode() in path.read_bytes():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_each_rule_is_about_everybody_and_none_gives_more_than_to_read_or_write() -> None:
    assert {rule.operation.name for rule in RULES if rule.allow} == {"READ", "WRITE", "DESCRIBE", "DESCRIBE_CONFIGS"}

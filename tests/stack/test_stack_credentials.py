"""A program's user on our Kafka: it may do what one without a login may, until it is taken back."""

import asyncio

import pytest
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from confluent_kafka import Consumer, Producer
from pydantic import SecretStr
from stacks import Servers
from typer.testing import CliRunner, Result

from broker import clients
from broker.admin import create_topics
from cli.errors import UserError
from cli.main import app
from settings.broker import Broker
from stack.topic_lag import admin_client
from topics.catalog import MODELS, TICKS

pytestmark = pytest.mark.services


@pytest.fixture
def kafka(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Servers:
    create_topics(servers.broker)
    monkeypatch.setenv("FORETICK_HOME", str(servers.home))
    return servers


def credentials(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["topics", "credentials", *arguments])


def told(name: str, *options: str) -> dict[str, str]:
    done = credentials(name, *options)
    assert done.exit_code == 0, done.output
    return dict(line.split("=", 1) for line in done.output.splitlines())


async def write(user: Broker, topic: str) -> None:
    producer = clients.producer(user)
    try:
        await producer.start()
        await producer.send_and_wait(topic, b"[]", key=b"NOBODY")
    finally:
        await producer.stop()


async def ask(user: Broker) -> None:
    async with admin_client(user) as admin:
        await admin.list_topics()


@pytest.mark.usefixtures("kafka")
def test_a_user_is_made_once_used_by_any_client_and_taken_back() -> None:
    config = told("desk")
    assert "desk" in credentials().output
    assert config["sasl.password"] not in credentials().output
    again = credentials("desk")
    assert isinstance(again.exception, UserError)
    assert "there is a user desk already" in str(again.exception)
    producer = Producer(config)
    producer.produce(TICKS.name, b"[]", b"NOBODY")
    assert producer.flush(30) == 0
    consumer = Consumer({**config, "group.id": "desk", "auto.offset.reset": "earliest"})
    consumer.subscribe([TICKS.name])
    record = consumer.poll(30)
    assert record is not None
    assert record.error() is None
    consumer.close()
    password = SecretStr(config["sasl.password"])
    user = Broker(servers=config["bootstrap.servers"], user="desk", password=password, security="SASL_PLAINTEXT")
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(write(user, MODELS.name))
    renewed = told("desk", "--replace")
    with pytest.raises(KafkaError):
        asyncio.run(ask(user))
    assert credentials("desk", "--revoke").exit_code == 0
    after = Broker(
        servers=user.servers, user="desk", password=SecretStr(renewed["sasl.password"]), security="SASL_PLAINTEXT"
    )
    with pytest.raises(KafkaError):
        asyncio.run(ask(after))
    assert "desk" not in credentials().output


@pytest.mark.parametrize("name", ["foretick", "controller", "ANONYMOUS", "a b", "*", "a,b", "desk\n"])
def test_an_invalid_or_reserved_user_name_is_refused(kafka: Servers, name: str) -> None:
    for options in ([], ["--replace"], ["--revoke"]):
        done = credentials(name, *options)
        assert isinstance(done.exception, UserError)
        assert "is no name for a program's user" in str(done.exception)
    asyncio.run(ask(kafka.broker))

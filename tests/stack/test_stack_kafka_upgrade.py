"""A data folder of the version before users: it is kept, learns the stack's user, and is closed to everybody else."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from broker import clients
from broker.admin import create_topics
from settings.broker import Address
from stack import kafka
from stack.addresses import HOST, choose
from stack.kafka_config import Listeners
from stack.topic_lag import admin_client
from topics.catalog import TICKS

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]

BEFORE = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{open},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{open}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
"""
DEADLINE_S = 90.0


@contextmanager
def running(command: list[str], address: Address) -> Iterator[None]:
    """Run a broker until the block ends; it answers in it."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + DEADLINE_S
            while True:
                try:
                    asyncio.run(kafka.check(address))
                    break
                except KafkaError:
                    assert process.poll() is None, "the broker ended"
                    assert time.monotonic() < deadline, "the broker does not answer"
                    time.sleep(0.3)
            yield
        finally:
            process.terminate()


async def _write(address: Address, value: bytes) -> None:
    producer = clients.producer(address)
    await producer.start()
    await producer.send_and_wait(TICKS.name, value, partition=0)
    await producer.stop()


async def _read(address: Address) -> bytes:
    consumer = clients.consumer(address, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition(TICKS.name, 0)])
    await consumer.seek_to_beginning()
    result = await consumer.getone()
    await consumer.stop()
    return bytes(result.value)


def test_what_was_there_is_kept_and_nobody_comes_in_without_a_login(tmp_path: Path) -> None:
    taken = set[int]()
    ports = [choose("", None, taken) for _ in range(4)]
    folder, opened = tmp_path / "kafka", f"{HOST}:{ports[0]}"
    folder.mkdir()
    properties = folder / "server.properties"
    properties.write_text(BEFORE.format(host=HOST, open=ports[0], controller=ports[1], data=folder / "data"))
    identity = "--cluster-id=AAAAAAAAAAAAAAAAAAAAAA"
    formatting = kafka.java("kafka.tools.StorageTool", "format", identity, "-c", str(properties))
    subprocess.run(formatting, check=True, capture_output=True)
    with running(kafka.java("kafka.Kafka", str(properties)), opened):
        create_topics(opened)
        asyncio.run(_write(opened, b"of before"))

    listeners = Listeners(None, ports[2], ports[3])
    command = kafka.launch(tmp_path, listeners)
    ours = kafka.broker_of(tmp_path, listeners)
    with running(command, ours):
        assert asyncio.run(_read(ours)) == b"of before"
        for address in (opened, ours.servers):
            with pytest.raises(KafkaError):
                asyncio.run(_ask(address))
    assert not (folder / "once.properties").exists()


async def _ask(address: Address) -> None:
    async with admin_client(address) as admin:
        await admin.list_topics()

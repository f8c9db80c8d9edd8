"""Programs that know nothing of Foretick read predictions and alerts, by the published JSON Schema alone."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from api_market import alert, said
from msgspec import Struct
from stacks import Servers, environment_of

from broker.confirmed_send import KafkaWriter
from settings import ROOT
from topics.catalog import ALERTS, PREDICTIONS, Topic

pytestmark = pytest.mark.services

SENT: dict[Topic, list[Sequence[Struct]]] = {
    PREDICTIONS: [
        [said("BTCUSDT", minute, "gbm") for minute in range(5)],
        [said("ETHUSDT", 7, "naive", "v2", "challenger")],
        [said("ETHUSDT", minute, "naive") for minute in range(10, 250)],
    ],
    ALERTS: [[alert("BTCUSDT", 1)], [alert("ETHUSDT", minute) for minute in range(2, 9)]],
}


@pytest.fixture(scope="module")
def written(kafka: str, servers: Servers) -> str:
    """Kafka, with frames of one record and of many."""

    async def run() -> None:
        writer = KafkaWriter(servers.broker)
        for topic, frames in SENT.items():
            await writer.send([(topic, records[0].symbol, records) for records in frames])
        await writer.stop()

    asyncio.run(run())
    return kafka


def published_schema(topic: Topic, folder: Path) -> Path:
    """Return a file with what `foretick topics schema` prints."""
    command = [sys.executable, "-m", "cli.main", "topics", "schema", topic.name]
    done = subprocess.run(command, cwd=ROOT, env=environment_of(folder), capture_output=True, check=True)
    path = folder / "schema.json"
    path.write_bytes(done.stdout)
    return path


def full(record: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return a record with the defaults that the schema tells for what is not there."""
    (name,) = {part["$ref"].rpartition("/")[2] for part in schema["anyOf"] if "$ref" in part}
    properties = schema["$defs"][name]["properties"]
    return {key: record.get(key, properties[key].get("default")) for key in properties}


def expected(topic: Topic) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(record) for records in SENT[topic] for record in records]


@pytest.mark.parametrize("topic", SENT, ids=lambda topic: topic.name)
def test_a_consumer_by_another_library_reads_every_record(written: str, tmp_path: Path, topic: Topic):
    schema = published_schema(topic, tmp_path)
    script = shutil.copy(Path(__file__).with_name("foreign_consumer.py"), tmp_path)
    ours = msgspec.json.decode(schema.read_bytes())
    count = held(written, topic)
    # In another folder, without a path to our packages.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-P", script, written, topic.name, str(schema), str(count)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    got = [full(json.loads(line), ours) for line in done.stdout.splitlines()]
    for record in expected(topic):
        assert full(record, ours) in got


def held(bootstrap: str, topic: Topic) -> int:
    """Return how many records the topic holds: other tests of the session write to it too."""
    from topics import codec

    async def run() -> int:
        from aiokafka import AIOKafkaConsumer

        consumer = AIOKafkaConsumer(topic.name, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            partitions = consumer.assignment()
            ends = await consumer.end_offsets(partitions)
            await consumer.seek_to_beginning()
            count = 0
            while any([await consumer.position(part) < ends[part] for part in partitions]):
                for messages in (await consumer.getmany(timeout_ms=500)).values():
                    count += sum(len(codec.decode(one.value, topic.record).records) for one in messages)
            assert count >= len(expected(topic))
            return count
        finally:
            await consumer.stop()

    return asyncio.run(run())


@pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed")
@pytest.mark.parametrize("topic", SENT, ids=lambda topic: topic.name)
def test_kcat_reads_every_record(written: str, tmp_path: Path, topic: Topic):
    schema = json.loads(published_schema(topic, tmp_path).read_text())
    validator = jsonschema_rs.validator_for(schema)
    command = ["kcat", "-C", "-q", "-e", "-b", written, "-t", topic.name, "-o", "beginning", "-f", "%k\t%s\n"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    got = []
    for line in done.stdout.splitlines():
        key, frame = line.split("\t", 1)
        value = json.loads(frame)
        validator.validate(value)
        records = value if isinstance(value, list) else [value]
        assert {record[topic.key] for record in records} == {key}
        got += [full(record, schema) for record in records]
    for record in expected(topic):
        assert full(record, schema) in got


def test_the_schema_says_what_a_frame_is(tmp_path: Path):
    schema = json.loads(published_schema(PREDICTIONS, tmp_path).read_text())
    assert "one record as an object, or several" in schema["description"]
    validator = jsonschema_rs.validator_for(schema)
    good = msgspec.to_builtins(said("BTCUSDT", 1, "gbm"))
    assert validator.is_valid(good)
    assert validator.is_valid([good, good])
    assert not validator.is_valid([])
    assert not validator.is_valid(good | {"time": "yesterday"})
    assert not validator.is_valid({name: value for name, value in good.items() if name != "model"})

"""A reader that stands still before records ends itself, on a real Kafka; one that waits on purpose does not."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from probing import answer, port_in
from stacks import Servers, environment_of, running

from broker.admin import create_topics
from broker.confirmed_send import KafkaWriter
from observability.probe import asked
from settings import ROOT
from topics.catalog import BARS
from topics.records import Bar

pytestmark = pytest.mark.services

STUCK_S = 6
APP = """
import asyncio, sys
from settings import Settings
from stream.app import make_app, run, topic_of
from topics.catalog import BARS
app = make_app("foretick-still", Settings())
@app.agent(topic_of(app, BARS))
async def still(stream):
    async for events in stream.noack_take(64, within=0.1):
        if sys.argv[1] == "waits":
            with app.standing.waits("the end of the test"):
                await asyncio.Event().wait()
        await asyncio.Event().wait()
run(app)
"""


@pytest.fixture(scope="module")
def prepared() -> Iterator[Servers]:
    """A Kafka with the topics, and nothing on them."""
    with running(("kafka",)) as result:
        create_topics(result.broker)
        yield result


def started(servers: Servers, log: Path, how: str) -> "subprocess.Popen[bytes]":
    fields = {"FORETICK_METRICS_PORT": "0", "FORETICK_STUCK_SECONDS": str(STUCK_S), "FORETICK_LOG_FORMAT": "json"}
    with log.open("w") as file:
        return subprocess.Popen(
            [sys.executable, "-c", APP, how],
            cwd=ROOT,
            env=environment_of(servers.home) | fields | {"PYTHONPATH": str(ROOT)},
            stdout=file,
            stderr=file,
        )


def send(servers: Servers) -> None:
    """Send a bar."""

    async def sent() -> None:
        writer = KafkaWriter(servers.kafka)
        await writer.send([(BARS, "STILL", [Bar("STILL", "1m", 1_600_000_020_000, 1.0, 1.0, 1.0, 1.0, 1.0)])])
        await writer.stop()

    asyncio.run(sent())


def until(port: int, word: str, seconds: float = 90.0) -> str:
    """Wait until the process says that; return its reason."""
    deadline = time.monotonic() + seconds
    while (condition := asked(port)).word != word:
        assert time.monotonic() < deadline, condition.text()
        time.sleep(0.2)
    return condition.why


def test_a_reader_that_stands_still_ends_itself_and_one_that_waits_on_purpose_does_not(
    prepared: Servers, tmp_path: Path
) -> None:
    log, patient_log = tmp_path / "still.log", tmp_path / "waits.log"
    still = started(prepared, log, "still")
    try:
        port = port_in(log)
        until(port, "healthy")
        send(prepared)
        assert "by 1 row, 0 s of event time; none of them read yet" in until(port, "lagging")
        assert answer(port, "/ready")[0] == 503  # it has read nothing
        assert still.wait(90) == 70
    finally:
        still.kill()
        still.wait()
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    (reporter,) = [line for line in lines if line["level"] == "critical"]
    assert reporter["event"].startswith("stuck: bars partition ")
    assert " has stood at 0 of 1 for " in reporter["event"]
    patient = started(prepared, patient_log, "waits")
    try:
        port = port_in(patient_log)
        assert until(port, "waiting").startswith(("its partitions", "the end of the test"))
        deadline = time.monotonic() + 2.5 * STUCK_S
        while time.monotonic() < deadline:
            assert asked(port).word != "stuck"
            time.sleep(0.2)
        assert until(port, "waiting") == "the end of the test"
        os.kill(patient.pid, signal.SIGSTOP)
        assert asked(port, 1.0).word == "unknown"
        os.kill(patient.pid, signal.SIGCONT)
        assert until(port, "waiting") == "the end of the test"
    finally:
        patient.kill()
        patient.wait()

"""Kafka is killed and started again under the API and the alerts worker, and under a reader that then ends."""

import asyncio
import json
import signal
import time
from collections.abc import Callable, Iterator

import psutil
import psycopg
import pytest
from aiokafka.errors import UnknownTopicOrPartitionError
from api_market import Api, said
from api_streams import SseListener, send
from probing import answer, wait_for
from stacks import Servers, running

from alerts.rules.rule import Rule, When
from alerts.store import user_changes
from broker import clients
from settings import ADDRESSES
from stack import state
from topics.catalog import PREDICTIONS

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]

COMPONENTS = ("kafka", "postgres", "redis", "prepare", "alerts", "api")
WAIT_S = 240.0


@pytest.fixture(scope="module")
def stack() -> Iterator[Servers]:
    with running(COMPONENTS) as result:
        yield result


def pid(servers: Servers, name: str) -> int | None:
    current = state.read(servers.home)
    return current.components[name].pid if current else None


def kill_kafka(servers: Servers) -> None:
    """SIGKILL Kafka, where it runs; the supervisor starts it again."""
    result = pid(servers, "kafka")
    if result is not None and psutil.pid_exists(result):
        psutil.Process(result).send_signal(signal.SIGKILL)


def wait(done: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> None:
    deadline = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < deadline
        meanwhile()
        time.sleep(0.2)


async def stopped(consumer: clients.Consumer) -> "asyncio.Task[None]":
    ending = asyncio.create_task(consumer.stop())
    await asyncio.wait({ending})
    return ending


def test_a_reader_that_found_no_such_topic_ends_without_cancelling_whoever_ends_it(stack: Servers) -> None:
    async def run() -> None:
        consumer = clients.consumer(stack.broker, "no-such-topic", request_timeout_ms=5_000)
        with pytest.raises(UnknownTopicOrPartitionError):
            await consumer.start()
        assert not (await stopped(consumer)).cancelled()

    asyncio.run(run())


@pytest.mark.long
def test_the_api_and_the_alerts_worker_go_on_by_themselves(stack: Servers) -> None:
    ports = json.loads((stack.home / ADDRESSES).read_text())
    metrics = ports["metrics_ports"]
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        user_changes.add_rule(connection, Rule(name="up", on="prediction", when=When("above", "p_up", 0.4), horizon=5))
    time.sleep(2.5)  # the worker looks at the rules once a second
    listener = SseListener(api=Api(f"http://127.0.0.1:{ports['api_port']}", stack.home), path="alerts")
    wait_for(metrics["api"], "healthy", WAIT_S)
    listener.begin()
    before = [pid(stack, name) for name in ("api", "alerts")]
    for name in ("api", "alerts"):
        # Again where it was back before it was missed.
        wait(lambda name=name: "Kafka" in answer(metrics[name], "/ready")[1], lambda: kill_kafka(stack))
    for name in ("api", "alerts"):
        wait_for(metrics[name], "healthy", WAIT_S)
    send(stack.broker, [[said("BTCUSDT", 1, "gbm")]])
    listener.listen(1)  # the worker has read the forecast and told of it, and the API has read that
    assert [json.loads(text)["rule"] for text in listener.got] == ["up"]
    assert [pid(stack, name) for name in ("api", "alerts")] == before


def test_a_reader_whose_fetch_has_failed_ends_without_cancelling_whoever_ends_it(
    stack: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        consumer = clients.consumer(stack.broker, PREDICTIONS.name, retry_backoff_ms=600_000)
        await consumer.start()
        try:
            for partition in consumer.assignment():
                await consumer.position(partition)
            await consumer.getmany(timeout_ms=1_000)  # now a fetch is under way: what fails before one is not logged
            kill_kafka(stack)
            deadline = time.monotonic() + WAIT_S
            while "Failed fetch messages" not in caplog.text:  # from now on it waits for the time to fetch again
                assert time.monotonic() < deadline
                await asyncio.sleep(0.1)
        finally:
            ended = await stopped(consumer)
        assert not ended.cancelled()
        assert not any(connection.connected() for connection in consumer._client._conns.values())

    asyncio.run(run())
    wait(lambda: pid(stack, "kafka") is not None)

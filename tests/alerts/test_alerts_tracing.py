"""A trace ends at the alert: its record's header and its delivery's span are of the batch that led to it."""

import asyncio
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from aiokafka import TopicPartition
from alert_records import START, prediction
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from psycopg import AsyncConnection
from stacks import running

from alerts.channel import DeliveryResult, Message
from alerts.consumer import BatchEvaluator
from alerts.delivery.deliver import Delivery
from alerts.delivery.queue import Queue
from alerts.publisher import publish_some
from alerts.rules.rule import Rule, When
from alerts.store.user_changes import add_rule, subscribe
from alerts.subscriber import Subscriber
from alerts.watch import AlertEngine
from broker.origin import UNKNOWN, Origin
from observability.spans import SpanTracer
from observability.tracer import OFF, Tracer
from storage.timescale import migrate
from stream.poison_records import Guard
from topics import codec
from topics.catalog import PREDICTIONS, Topic

pytestmark = pytest.mark.services

TRACED = f"00-{7:032x}-{8:016x}-01"
RULE = Rule(name="rises", on="prediction", when=When("above", "mean", 0.001), horizon=15)
DESK = Subscriber(name="desk", channel="webhook", target="tried")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A database with the schema, a rule that matches every forecast of a rise, and a subscriber."""
    with running(("postgres",)) as servers:
        migrate(servers.database_url)
        with psycopg.connect(servers.database_url, autocommit=True) as connection:
            connection.execute("DELETE FROM alert_subscribers")
            add_rule(connection, RULE)
            subscribe(connection, DESK)
        yield servers.database_url


class Log:
    """A writer that keeps headers by symbol."""

    def __init__(self) -> None:
        self.headers: dict[str, dict[str, bytes]] = {}

    async def post_values(self, values: Iterable[tuple[Topic, str, bytes]], origin: Origin = UNKNOWN) -> list[Any]:
        """Keep them."""
        posted = []
        for topic, symbol, _ in values:
            self.headers[symbol] = dict(origin.headers())
            posted.append(asyncio.get_running_loop().create_future())
            posted[-1].set_result(SimpleNamespace(topic=topic.name, partition=0, offset=len(self.headers)))
        return posted


class Channel:
    """A channel with an answer."""

    at_once = 1

    def __init__(self, answer: DeliveryResult) -> None:
        self.answer = answer

    async def send(self, _: Message) -> DeliveryResult:
        """Answer."""
        return self.answer

    async def close(self) -> None:
        """Nothing is open."""


def message(symbol: str, offset: int, *more: tuple[str, bytes]) -> Any:
    """Return a forecast as Kafka gives it."""
    place = {"topic": PREDICTIONS.name, "partition": 0, "offset": offset, "timestamp": START + 3_600_000}
    value = codec.encode([prediction(offset, symbol=symbol)])
    return SimpleNamespace(value=value, key=symbol.encode(), headers=[*codec.HEADERS, *more], **place)


async def alerted(url: str, batches: list[list[Any]], channel: Channel, tracer: Tracer) -> Log:
    """Evaluate batches, publish and deliver."""
    log: Any = Log()
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        evaluator = BatchEvaluator(AlertEngine(connection), Guard(), log, tracer)
        for batch in batches:
            assert await evaluator.take({TopicPartition(PREDICTIONS.name, 0): batch}) == 1
        await publish_some(connection, log)
        await Delivery(DESK, channel, Queue(connection, DESK), "http://127.0.0.1:5006", tracer=tracer).once()
    return log


def test_a_trace_goes_on_to_the_alert_and_its_delivery_and_none_begins_here(url: str) -> None:
    memory = InMemorySpanExporter()
    tracer = SpanTracer("alerts", 1.0, SimpleSpanProcessor(memory))
    batches = [[message("TRACED", 1, (codec.TRACE_HEADER, TRACED.encode()))], [message("PLAIN", 2)]]
    log = asyncio.run(alerted(url, batches, Channel(DeliveryResult()), tracer))
    made, delivered = memory.get_finished_spans()
    assert (made.name, delivered.name) == ("alerts", "deliver webhook")
    assert {span.context.trace_id for span in (made, delivered)} == {7}
    assert (made.parent.span_id, delivered.parent.span_id) == (8, made.context.span_id)
    assert log.headers["TRACED"][codec.TRACE_HEADER].split(b"-")[2] == b"%016x" % made.context.span_id
    assert codec.TRACE_HEADER not in log.headers["PLAIN"]


def test_a_delivery_that_fails_says_why_in_its_span(url: str) -> None:
    memory = InMemorySpanExporter()
    tracer = SpanTracer("alerts", 1.0, SimpleSpanProcessor(memory))
    batches = [[message("FAILS", 3, (codec.TRACE_HEADER, TRACED.encode()))]]
    asyncio.run(alerted(url, batches, Channel(DeliveryResult("no answer", refused=True)), tracer))
    assert memory.get_finished_spans()[-1].status.description == "no answer"


def test_without_tracing_an_alert_has_no_trace(url: str) -> None:
    batches = [[message("OFF", 4, (codec.TRACE_HEADER, TRACED.encode()))]]
    log = asyncio.run(alerted(url, batches, Channel(DeliveryResult()), OFF))
    assert codec.TRACE_HEADER not in log.headers["OFF"]

"""A running alerts worker: rules and subscribers added, records sent, tables and the topic read."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import psutil
import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from alert_records import prediction
from stacks import Servers

from alerts.delivery.webhook_signature import new_key
from alerts.rules.rule import Rule, When
from alerts.store import secret_file, user_changes
from alerts.store.secret_file import Secret
from alerts.subscriber import Subscriber
from broker.confirmed_send import KafkaWriter
from stack import state
from stack.topic_lag import admin_client, committed_by, consumer_client
from topics import codec
from topics.catalog import ALERTS, ALERTS_GROUP, PREDICTIONS
from topics.records import Alert, Prediction

COMPONENTS = ("kafka", "postgres", "redis", "prepare", "persist", "alerts")
DEADLINE_S = 280.0
FRAME = 100
TAKES_EFFECT_S = 2.5
"""The worker looks at rules and subscribers once a second."""


@dataclass(frozen=True)
class Alerts:
    """A stack with an alerts worker."""

    servers: Servers

    def query(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with psycopg.connect(self.servers.database_url, autocommit=True) as connection:
            return connection.execute(query.encode(), arguments).fetchall()

    def add(self, name: str, **fields: Any) -> None:
        """Add a rule on forecasts above 10 bp at 15 bars."""
        rule = Rule(name=name, on="prediction", when=When("above", "mean", 0.001), horizon=15)
        with psycopg.connect(self.servers.database_url, autocommit=True) as connection:
            user_changes.add_rule(connection, msgspec.structs.replace(rule, **fields))

    def subscribe(self, name: str, url: str, channel: str = "webhook", **fields: Any) -> str:
        """Add a subscriber; return its key."""
        one = msgspec.structs.replace(
            Subscriber(name=name, channel="webhook", target="test", per_minute=100_000, burst=10_000),
            channel=channel,
            **fields,
        )
        key = new_key()
        secret_file.put(self.servers.home, name, Secret(url, key))
        with psycopg.connect(self.servers.database_url, autocommit=True) as connection:
            user_changes.subscribe(connection, one)
        return key

    def send(self, predictions: Sequence[Prediction], between: Callable[[int], None] = lambda _: None) -> None:
        """Send predictions in frames of one symbol; `between` is told the number of each."""
        by_symbol: dict[str, list[Prediction]] = {}
        for one in predictions:
            by_symbol.setdefault(one.symbol, []).append(one)

        async def every() -> None:
            writer = KafkaWriter(self.servers.kafka)
            number = 0
            for symbol, rows in by_symbol.items():
                for start in range(0, len(rows), FRAME):
                    await writer.send([(PREDICTIONS, symbol, rows[start : start + FRAME])])
                    await asyncio.to_thread(between, number)
                    number += 1
            await writer.stop()

        asyncio.run(every())

    def wait(self, done: Callable[[], bool], what: Callable[[], object]) -> None:
        """Wait until something is so; fail with what there is instead."""
        deadline = time.monotonic() + DEADLINE_S
        while not done():
            assert time.monotonic() < deadline, f"not done: {what()}; the worker said: {self.log()[-3_000:]}"
            time.sleep(0.25)

    def log(self) -> str:
        """Return what the worker wrote."""
        return (self.servers.home / "logs" / "alerts.log").read_text()

    def kill(self) -> None:
        """SIGKILL the alerts worker with its children; the supervisor starts it again."""
        current = state.read(self.servers.home)
        pid = current.components["alerts"].pid if current else None
        if pid is not None and psutil.pid_exists(pid):
            process = psutil.Process(pid)
            for member in (process, *process.children(recursive=True)):
                member.send_signal(signal.SIGKILL)

    def made(self, rule: str) -> list[str]:
        """Return the ids of a rule's alerts in the table."""
        return [row[0] for row in self.query("SELECT alert_id FROM alerts WHERE rule = %s", rule)]

    def deliveries(self, subscriber: str, rule: str = "") -> Counter[str]:
        """Return how many deliveries, of one rule where it is named, are in which state."""
        query = "SELECT state FROM alert_deliveries WHERE subscriber = %s AND starts_with(alert_id, %s)"
        rows = self.query(query, subscriber, f"{rule}-" if rule else "")
        return Counter(row[0] for row in rows)

    def attempts(self, subscriber: str) -> dict[str, int]:
        """Return how often each alert was tried."""
        return dict(self.query("SELECT alert_id, attempts FROM alert_deliveries WHERE subscriber = %s", subscriber))

    def behind(self) -> int:
        """Return how many records of predictions the worker has not read."""
        return asyncio.run(_behind(self.servers.kafka))

    def on_topic(self) -> list[Alert]:
        """Return every alert on the topic."""
        return asyncio.run(_read(self.servers.kafka))


async def _behind(bootstrap: str) -> int:
    async with admin_client(bootstrap) as admin, consumer_client(bootstrap) as consumer:
        partitions = [TopicPartition(PREDICTIONS.name, number) for number in range(PREDICTIONS.partitions)]
        end, read = await consumer.end_offsets(partitions), await committed_by(admin, ALERTS_GROUP)
        return sum(end[partition] - max(read.get(partition, 0), 0) for partition in partitions)


async def _read(bootstrap: str) -> list[Alert]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(ALERTS.name, number) for number in range(ALERTS.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        end = await consumer.end_offsets(partitions)
        alerts: list[Alert] = []
        while any([await consumer.position(partition) < end[partition] for partition in partitions]):
            for messages in (await consumer.getmany(timeout_ms=500)).values():
                for message in messages:
                    alerts += codec.decode(message.value, Alert, message.headers).records
        return alerts
    finally:
        await consumer.stop()


def matches(symbols: int, minutes: int, prefix: str) -> list[Prediction]:
    """Return predictions that all match, so many a symbol."""
    return [prediction(minute, symbol=f"{prefix}{number}") for number in range(symbols) for minute in range(minutes)]

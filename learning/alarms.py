"""Alarms onto the topic `drift`, each once: also where a watch that starts anew finds it again."""

import asyncio
from collections.abc import Sequence

from psycopg import Connection

from learning.stored import moment
from settings.broker import Address
from sources.producer import producer
from topics import codec
from topics.catalog import DRIFT
from topics.records import Drift

KNOWN = "SELECT FROM drift WHERE (model, version, kind) = (%s, %s, %s) AND time >= %s LIMIT 1"


def new(connection: Connection, drifts: Sequence[Drift]) -> list[Drift]:
    """Return those that are not stored yet: an alarm of the same kind after this one's change began is the same."""
    return [drift for drift in drifts if not _known(connection, drift)]


def _known(connection: Connection, drift: Drift) -> bool:
    begun = drift.time if drift.since is None else drift.since
    where = (drift.model, drift.version, drift.kind, moment(min(begun, drift.time)))
    return connection.execute(KNOWN, where).fetchone() is not None


def publish(bootstrap: Address, drifts: Sequence[Drift]) -> None:
    """Send them to Kafka, and return once they are there. Raises KafkaError."""
    if drifts:
        asyncio.run(_send(bootstrap, drifts))


async def _send(bootstrap: Address, drifts: Sequence[Drift]) -> None:
    to_kafka = producer(bootstrap)
    try:
        await to_kafka.start()
        for drift in drifts:
            value, key = codec.encode_one(drift), drift.model.encode()
            await to_kafka.send_and_wait(DRIFT.name, value, key=key, headers=codec.HEADERS)
    finally:
        await to_kafka.stop()

"""Publishes alarms on the topic `drift`, each once, also if a restarted monitor finds it again."""

import asyncio
from collections.abc import Sequence

from psycopg import Connection

from broker.confirmed_send import send_in_turn
from learning.monitoring.reader import moment
from settings.broker import Address
from topics import codec
from topics.catalog import DRIFT
from topics.records import Drift

KNOWN = "SELECT FROM drift WHERE (model, version, kind) = (%s, %s, %s) AND time >= %s LIMIT 1"


def new(connection: Connection, drifts: Sequence[Drift]) -> list[Drift]:
    """Return those that are not stored yet: an alarm of the same kind since this one's change began is the same."""
    return [drift for drift in drifts if not _known(connection, drift)]


def _known(connection: Connection, drift: Drift) -> bool:
    begun = drift.time if drift.since is None else drift.since
    where = (drift.model, drift.version, drift.kind, moment(min(begun, drift.time)))
    return connection.execute(KNOWN, where).fetchone() is not None


def publish(bootstrap: Address, drifts: Sequence[Drift]) -> None:
    """Send them to Kafka, and return once they are confirmed. Raises KafkaError."""
    if drifts:
        values = [(DRIFT.name, drift.model.encode(), codec.encode_one(drift), codec.HEADERS) for drift in drifts]
        asyncio.run(send_in_turn(bootstrap, values))

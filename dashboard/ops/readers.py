"""The threads that read for all viewers of the page: the database, the components, Kafka and the disk."""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import psycopg
from aiokafka.errors import KafkaError
from psycopg import Connection

from dashboard.database import connected, no_answer
from dashboard.ops.data_health import DataHealth, read_health
from dashboard.ops.space import Disk, Space, read_disk, read_space
from dashboard.ops.system import System, SystemSource, system
from dashboard.ops.tables import Tables, Wanted, read_tables
from dashboard.polled_reader import PolledReader
from settings import Settings
from settings.places import typed
from stack.topic_lag import PartitionLag, by_partition, kept_days
from storage.errors import place, reason

TABLES_S, SYSTEM_S, KAFKA_S, HEALTH_S, SPACE_S = 0.25, 1.0, 1.0, 20.0, 120.0
"""How often each is read, while someone looks."""
REST = 4
"""What took long to read of the database is read again after so many times as long."""

C = TypeVar("C")
K = TypeVar("K", bound=Hashable)
S = TypeVar("S")


@dataclass(frozen=True)
class Dated(Generic[S]):
    """What was read, and when."""

    value: S
    at: datetime


def dated(read: Callable[[C, K], S]) -> Callable[[C, K], Dated[S]]:
    """Return the same with the time of reading."""
    return lambda source, key: Dated(read(source, key), datetime.now(UTC))


class Readers:
    """All of them; `start` and `stop` are those of their threads."""

    def __init__(self, settings: Settings) -> None:
        url, home, interval = settings.database_url.get_secret_value(), settings.home, settings.interval
        self.tables: PolledReader[Connection, Wanted, Dated[Tables]] = database(url, read_tables, TABLES_S)
        self.health: PolledReader[Connection, str, Dated[DataHealth]] = database(url, read_health, HEALTH_S)
        self.space: PolledReader[Connection, str, Dated[Space]] = database(url, lambda at, _: read_space(at), SPACE_S)
        self.system: PolledReader[SystemSource, str | None, Dated[System]] = PolledReader(
            lambda: system(settings),
            dated(SystemSource.read),
            period_s=SYSTEM_S,
            failures=(OSError,),
            describe=lambda error: f"The components' state cannot be read ({reason(error)}).",
        )
        self.kafka: PolledReader[None, str, Dated[list[PartitionLag]]] = PolledReader(
            nullcontext,
            dated(lambda _, __: asyncio.run(by_partition(settings.broker, bool(settings.universe)))),
            period_s=KAFKA_S,
            failures=(KafkaError, OSError, TimeoutError),
            describe=lambda error: f"No answer from Kafka at {settings.kafka} ({reason(error)}).",
        )
        self.disk: PolledReader[Path, str, Dated[Disk]] = PolledReader(
            lambda: nullcontext(home),
            dated(lambda folder, _: read_disk(folder)),
            period_s=SPACE_S,
            failures=(OSError,),
            describe=lambda error: f"The data folder cannot be read ({reason(error)}).",
        )
        self.topics: PolledReader[None, str, Dated[dict[str, float | None]]] = PolledReader(
            nullcontext,
            dated(lambda _, __: asyncio.run(kept_days(settings.broker))),
            period_s=SPACE_S,
            failures=(KafkaError, OSError, TimeoutError),
            describe=lambda error: f"No answer from Kafka at {settings.kafka} ({reason(error)}).",
        )
        self.interval, self.topic_days = interval, settings.topic_days

    @property
    def each(self) -> Mapping[str, PolledReader[Any, Any, Any]]:
        """Return the readers by what they read."""
        return {
            "tables": self.tables,
            "health": self.health,
            "space of the database": self.space,
            "components": self.system,
            "topics' readers": self.kafka,
            "disk": self.disk,
            "topics": self.topics,
        }


def database(url: str, read: Callable[[Connection, K], S], period_s: float) -> PolledReader[Connection, K, Dated[S]]:
    """Return a reader of the database."""
    where = place(url)

    def describe(error: Exception) -> str:
        if isinstance(error, psycopg.errors.UndefinedTable):
            return typed("The database is not set up for this page yet: ./foretick up does it.")
        if isinstance(error, psycopg.OperationalError):
            return no_answer(where, error)
        return f"The database does not answer this question of the page ({reason(error)})."

    return PolledReader(
        lambda: connected(url),
        dated(read),
        period_s=period_s,
        failures=(psycopg.Error,),
        describe=describe,
        rest=REST,
    )

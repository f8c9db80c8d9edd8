"""Whole runs of the real pipeline, from clean: send bars, wait until all is on disk, read the tables."""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psutil
import psycopg
from psycopg import sql
from stacks import Servers

from broker.confirmed_send import KafkaWriter
from stack import state
from stack.topic_lag import lag
from topics.catalog import BARS
from topics.records import Bar

COMPONENTS = ("kafka", "postgres", "redis", "prepare", "train", "worker", "persist")
TABLES = {
    "bars": ("symbol", "interval", "time"),
    "features": ("symbol", "interval", "time"),
    "regimes": ("symbol", "interval", "time"),
    "predictions": ("symbol", "interval", "model", "version", "horizon", "time"),
    "outcomes": ("symbol", "interval", "model", "version", "horizon", "time"),
    "dead_letters": ("topic", "partition", "offset", "row"),
}
DEADLINE_S = 240.0

Tables = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Run:
    """A pipeline that runs."""

    servers: Servers
    universe: bool = False

    def kill(self, component: str) -> None:
        """SIGKILL a component with its children; the supervisor starts it again."""
        current = state.read(self.servers.home)
        pid = current.components[component].pid if current else None
        if pid is not None and psutil.pid_exists(pid):
            process = psutil.Process(pid)
            for member in (process, *process.children(recursive=True)):
                member.send_signal(signal.SIGKILL)

    def rows(self, table: str) -> int:
        """Return how many rows a table has."""
        with psycopg.connect(self.servers.database_url) as connection:
            row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        return int(row[0]) if row else 0

    def wait(self, predictions: int) -> None:
        """Wait until that many predictions are stored and nobody is behind on any topic."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            read = all(behind == 0 for behind in self.behind().values())
            if read and self.rows("predictions") >= predictions:
                return
            time.sleep(0.5)
        stored, behind = self.rows("predictions"), self.behind()
        raise AssertionError(f"not done: {stored} of {predictions} predictions, lag {behind}")

    def behind(self) -> dict[str, int | None]:
        """Return the lag of each topic."""
        return asyncio.run(lag(self.servers.kafka, self.universe))

    def tables(self) -> Tables:
        """Return every row of every table, in the order of its key."""
        values: Tables = {}
        with psycopg.connect(self.servers.database_url) as connection:
            for table, key in TABLES.items():
                query = sql.SQL("SELECT * FROM {} ORDER BY {}").format(
                    sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, key))
                )
                values[table] = connection.execute(query).fetchall()
        return values

    def send(self, frames: Sequence[Sequence[Bar]], between: Callable[[int], None] = lambda _: None) -> None:
        """Send the frames in order; `between` is called after each with its number."""

        async def every() -> None:
            writer = KafkaWriter(self.servers.kafka)
            for number, frame in enumerate(frames):
                await writer.send([(BARS, frame[0].symbol, frame)])
                await asyncio.to_thread(between, number)
            await writer.stop()

        asyncio.run(every())

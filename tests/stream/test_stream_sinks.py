"""Persist's sinks, each by itself: a Redis or a database that takes nothing costs only what would have been there."""

import asyncio
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import redis
from probing import answer, of, scraped
from stacks import running
from stream_runs import Run

from settings import ADDRESSES, Settings
from stack import state
from stack.errors import MachineError
from stack.redis import check
from stack.status_report import report
from storage.latest import PREFIX
from topics.records import Bar

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]

MINUTE = 60_000
T0 = 1_600_000_020_000
AHEAD = 9_000_000_000_000
DEADLINE_S = 120.0


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.3)


class Persist:
    """A stack in which only persist works, a bar that comes a minute after the one before, and where it shows up."""

    def __init__(self, run: Run) -> None:
        self.run, self.bars = run, 0
        self.redis: Any = redis.Redis.from_url(run.servers.redis_url, socket_timeout=5)
        self.port = json.loads((run.servers.home / ADDRESSES).read_text())["metrics_ports"]["persist"]

    def send(self) -> None:
        price = 100.0 + self.bars
        self.run.send([[Bar("BTCUSDT", "1m", T0 + self.bars * MINUTE, price, price, price, price, 1.0)]])
        self.bars += 1

    def stored(self) -> None:
        until(lambda: self.run.rows("bars") == self.bars, "the bars are not stored")

    def cached(self) -> None:
        until(lambda: self.newest() == 99.0 + self.bars, "the newest price is not in Redis")

    def newest(self) -> float:
        return float(json.loads(self.redis.get(f"{PREFIX}:BTCUSDT:price"))["price"])

    def says(self, *words: str) -> None:
        until(lambda: all(word in answer(self.port, "/ready")[1] for word in words), f"not ready because of {words}")

    def away(self, sink: str) -> float:
        return of(scraped(self.port), "sink_away", sink=sink)

    def process(self) -> tuple[Any, ...]:
        """Return what changes when it, or the alerts worker, is started again."""
        current = state.read(self.run.servers.home)
        assert current is not None
        return tuple(
            (current.components[name].pid, current.components[name].restarts) for name in ("persist", "alerts")
        )

    def log(self, words: str) -> int:
        return (self.run.servers.home / "logs" / "persist.log").read_text().count(words)


@pytest.fixture(scope="module")
def persist() -> Iterator[Persist]:
    with running(("kafka", "postgres", "redis", "prepare", "persist", "alerts")) as servers:
        result = Persist(Run(servers))
        result.send()
        result.stored()
        yield result


def full(client: Any) -> Callable[[], None]:
    client.config_set("maxmemory", 1)
    return lambda: client.config_set("maxmemory", 0)


def read_only(client: Any) -> Callable[[], None]:
    client.replicaof("127.0.0.1", 1)
    return lambda: client.replicaof("NO", "ONE")


def hanging(client: Any) -> Callable[[], None]:
    process = psutil.Process(int(client.info("server")["process_id"]))
    process.suspend()
    return process.resume


@pytest.mark.parametrize(
    ("broken", "why"), [(full, "maxmemory"), (read_only, "read only replica"), (hanging, "Timeout")]
)
def test_a_redis_that_refuses_writes_stops_only_the_cache(
    persist: Persist, broken: Callable[[Any], Callable[[], None]], why: str
) -> None:
    persist.cached()
    before, reporter = persist.process(), persist.log("accepts no values")
    mend = broken(persist.redis)
    try:
        for _ in range(3):
            persist.send()
            persist.stored()
        persist.says("redis://127.0.0.1", why)
        with pytest.raises((MachineError, TimeoutError, redis.TimeoutError), match=why):
            asyncio.run(check(persist.run.servers.redis_url))  # what doctor says of it
        if broken is not hanging:
            shown = report(Settings(home=persist.run.servers.home), ())
            assert any("accepts no values" in line and why in line for line in shown.warnings), shown.warnings
        assert persist.away("cache") == 1
        assert persist.away("database") == 0
    finally:
        mend()
    persist.cached()
    persist.says("healthy")
    assert persist.away("cache") == 0
    assert persist.process() == before
    assert persist.log("accepts no values") == reporter + 1


@contextmanager
def closed(persist: Persist) -> Iterator[None]:
    """The database lets nobody in."""
    elsewhere = urlsplit(persist.run.servers.database_url)._replace(path="/postgres").geturl()
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute("ALTER DATABASE foretick CONNECTION LIMIT 0")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'foretick' AND usename = 'foretick'"
        )
        try:
            yield
        finally:
            connection.execute("ALTER DATABASE foretick CONNECTION LIMIT -1")


@contextmanager
def hung(persist: Persist) -> Iterator[None]:
    """All of the server's processes stand still."""
    current = state.read(persist.run.servers.home)
    assert current is not None
    server = psutil.Process(current.components["postgres"].pid)
    processes = [server, *server.children(recursive=True)]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize(("broken", "why"), [(closed, "too many connections"), (hung, "no end after")])
def test_a_database_that_is_away_stops_only_storage(persist: Persist, broken: Any, why: str) -> None:
    before, reporter = persist.process(), persist.log("wait in Kafka")
    with broken(persist):
        for _ in range(3):
            persist.send()
            persist.cached()
        persist.says("TimescaleDB", why)
        assert persist.away("database") == 1
        assert persist.away("cache") == 0
        persist.run.send([[Bar("BTCUSDT", "1m", AHEAD, 1.0, 1.0, 1.0, 1.0, 1.0)]])  # would be the newest for ever
        persist.send()
        persist.cached()  # also what comes when it is known to be away
    persist.stored()
    persist.says("healthy")
    assert persist.away("database") == 0
    assert persist.process() == before
    assert persist.log("wait in Kafka") == reporter + 1

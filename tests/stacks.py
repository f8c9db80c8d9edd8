"""Stacks of real servers in folders of their own, started through the stack's own supervisor."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from settings import ADDRESSES, ROOT, Settings
from settings.broker import Broker
from stack import state
from stack.addresses import HOST
from storage.timescale import migrate

START_S = 240.0
numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Where the servers of a stack are; `kafka` is where anybody comes in, `broker` the way of the stack's own user."""

    home: Path
    kafka: str
    broker: Broker
    database_url: str
    redis_url: str
    mlflow_uri: str

    def as_stack(self) -> dict[str, Any]:
        """Return the settings with which a process is the stack's own to Kafka."""
        return {
            "kafka": self.broker.servers,
            "kafka_user": self.broker.user,
            "kafka_password": self.broker.password,
        }


def kafka_environment(settings: Settings) -> dict[str, str]:
    """Return the environment that tells a process of Kafka what settings tell."""
    values = {"": settings.kafka, "_USER": settings.kafka_user, "_PASSWORD": settings.kafka_password.get_secret_value()}
    return {f"FORETICK_KAFKA{name}": value for name, value in values.items()}


def environment_of(home: Path) -> dict[str, str]:
    """Return the environment without any address from outside, for a stack of its own in `home`."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("FORETICK_")}
    return {**clean, "FORETICK_HOME": str(home)}


@contextmanager
def running(
    names: Sequence[str],
    models: Path | None = None,
    environment: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Iterator[Servers]:
    """Run those components on free ports, in a folder emptied afterwards; `models` is what to serve."""
    home = home or Path(tempfile.mkdtemp(prefix="foretick-test-"))
    if models is not None:
        (home / "models").symlink_to(models)
    with (home / "supervisor.log").open("w") as log:
        command = [sys.executable, "-m", "stack", *names]
        supervisor = subprocess.Popen(
            command, cwd=ROOT, env=environment_of(home) | dict(environment or {}), stdout=log, stderr=log
        )
    try:
        _wait_until_healthy(home, supervisor)
        result = json.loads((home / ADDRESSES).read_text())
        opened = f"{HOST}:{result['kafka_open_port']}" if result["kafka_open_port"] else result["kafka"]
        broker = Settings(home=home).broker
        yield Servers(
            home=home,
            kafka=opened,
            broker=broker,
            database_url=result["database_url"],
            redis_url=result["redis_url"],
            mlflow_uri=result["mlflow_uri"],
        )
    finally:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(60)
        shutil.rmtree(home, ignore_errors=home.is_mount())


def _wait_until_healthy(home: Path, supervisor: "subprocess.Popen[bytes]") -> None:
    """Wait for every component; fail with what the supervisor knows when they do not come up."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and supervisor.poll() is None:
        current = state.read(home)
        if current and all(status.ready() for status in current.components.values()):
            return
        time.sleep(0.1)
    log = (home / "supervisor.log").read_text()[-2000:]
    raise AssertionError(f"the stack did not start: {state.read(home)}; {log}")


@contextmanager
def databases(servers: Servers, prefix: str) -> Iterator[Callable[[], str]]:
    """Give what makes a database of its own on a TimescaleDB, with the schema and no row, and returns its URL."""
    names: list[str] = []
    with psycopg.connect(servers.database_url, autocommit=True) as connection:

        def make() -> str:
            name = f"{prefix}_{os.getpid()}_{next(numbers)}"
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            names.append(name)
            url = urlsplit(servers.database_url)._replace(path=f"/{name}").geturl()
            migrate(url)
            return url

        yield make
        for name in names:
            drop_database(connection, name)


def drop_database(connection: psycopg.Connection, name: str) -> None:
    """Drop a database after ending what this user still does in it.

    Not WITH (FORCE): that is refused while autovacuum, which is the superuser's, is in the database. Without it
    PostgreSQL ends autovacuum itself.
    """
    ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user"
    connection.execute(ours, [name])
    connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))

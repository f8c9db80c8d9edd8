"""The alerts worker beside the watch on one database: each works, and neither waits for the other."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from stacks import Servers, databases

from alerts.worker import Worker
from learning.watch import alone
from settings import Settings
from stack.prepare import prepare
from storage import locks
from storage.locks import Lock

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

DEADLINE_S = 180.0
NOT_CONNECTED = "the database does not answer yet"


async def _works(worker: Worker, first: Callable[[], None] = lambda: None) -> None:
    """Run it until it works, or until the deadline, and then tell it to stop; `first` is done once it has begun."""
    stopping = asyncio.Event()
    running = asyncio.create_task(worker.run(stopping))
    deadline = time.monotonic() + DEADLINE_S
    while worker.problem() == NOT_CONNECTED and not running.done():
        assert time.monotonic() < deadline, worker.problem()
        await asyncio.sleep(0.1)
    await asyncio.to_thread(first)
    while worker.problem() is not None and not running.done():
        assert time.monotonic() < deadline, worker.problem()
        await asyncio.sleep(0.1)
    stopping.set()
    await running


def test_alerts_and_the_watch_work_at_once_on_one_database(servers: Servers, tmp_path: Path) -> None:
    with databases(servers, "beside") as database:
        url = database()
        settings = Settings(home=tmp_path, **servers.as_stack(), database_url=SecretStr(url), mlflow_uri="")
        prepare(settings)
        with alone(url):
            asyncio.run(_works(Worker(settings)))


def test_a_session_that_is_lost_leaves_its_lock_to_who_stands_by(servers: Servers, tmp_path: Path) -> None:
    with databases(servers, "lost") as database:
        url = database()
        settings = Settings(home=tmp_path, **servers.as_stack(), database_url=SecretStr(url), mlflow_uri="")
        prepare(settings)
        with psycopg.connect(url, autocommit=True) as holder, psycopg.connect(url, autocommit=True) as other:
            assert not locks.is_locked(other, Lock.ALERTS)
            assert locks.try_lock(holder, Lock.ALERTS)
            assert [locks.is_locked(other, lock) for lock in (Lock.ALERTS, Lock.WATCH)] == [True, False]
            worker = Worker(settings)

            def lost() -> None:
                """End the holder's session, as the server does once it hears nothing of it any more."""
                assert worker.problem() == "another alerts worker works; this one is on standby"
                other.execute("SELECT pg_terminate_backend(%s)", (holder.info.backend_pid,))

            asyncio.run(_works(worker, lost))

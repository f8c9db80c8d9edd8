"""The alerts worker beside the watch on one database: each works, and neither waits for the other."""

import asyncio
import time
from pathlib import Path

import pytest
from pydantic import SecretStr
from stacks import Servers, databases

from alerts.worker import Worker
from learning.watch import alone
from settings import Settings
from stack.prepare import prepare

pytestmark = pytest.mark.services

DEADLINE_S = 60.0


async def _works(worker: Worker) -> None:
    """Run it until it is ready, or until the deadline; then tell it to stop."""
    stopping = asyncio.Event()
    running = asyncio.create_task(worker.run(stopping))
    deadline = time.monotonic() + DEADLINE_S
    while worker.ready() is not None and not running.done():
        assert time.monotonic() < deadline, worker.ready()
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

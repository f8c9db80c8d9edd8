"""Everything that runs on one machine, in one table: what it is, and what it needs before it starts."""

import asyncio
import sys
import urllib.request
from dataclasses import replace

from settings import Settings
from stack.addresses import HOST
from stack.component import Component
from stack.lag import group_is_stable
from stack.servers import SERVERS, plan
from topics.catalog import PERSIST_GROUP, WORKER_GROUP

NAMES = (*SERVERS, "mlflow", "worker", "persist", "dashboard")


def components(settings: Settings) -> tuple[Component, ...]:
    """Choose the addresses, write them down, and return the whole table."""
    servers = plan(settings)
    kafka, port = servers.addresses.kafka, servers.addresses.dashboard_port

    async def worker_reads() -> None:
        await group_is_stable(kafka, WORKER_GROUP)

    async def persist_reads() -> None:
        await group_is_stable(kafka, PERSIST_GROUP)

    async def dashboard_answers() -> None:
        await answers(port)

    prepare = step("prepare", "stack.prepare", needs=SERVERS)
    train = step("train", "stack.sample", "train", needs=())
    deploy = step("deploy", "learning.announce", needs=("prepare", "train"))
    worker = replace(python("worker", "stream.worker", needs=("prepare", "train", "deploy")), check=worker_reads)
    persist = replace(python("persist", "stream.persist", needs=("prepare", "train")), check=persist_reads)
    page = replace(
        python("dashboard", "dashboard.serve", needs=("prepare",)),
        check=dashboard_answers,
        address=f"http://{HOST}:{port}",
    )
    sample = step("sample", "stack.sample", "replay", needs=("worker", "persist"))
    ours = (prepare, train, deploy, worker, persist, page, *((sample,) if settings.sample else ()))
    environment = {"FORETICK_HOME": str(settings.home.resolve())}
    return (*servers.components, *(replace(component, environment=environment) for component in ours))


def python(name: str, module: str, *arguments: str, needs: tuple[str, ...]) -> Component:
    """Return a component that is a Python module of the project."""
    return Component(name, lambda: [sys.executable, "-u", "-m", module, *arguments], needs=needs)


def step(name: str, module: str, *arguments: str, needs: tuple[str, ...]) -> Component:
    """Return a step of the set-up: a module that runs to its end once."""
    return replace(python(name, module, *arguments, needs=needs), once=True)


async def answers(port: int) -> None:
    """Ask the dashboard how it is; raises OSError when it does not answer well."""
    url = f"http://{HOST}:{port}/health"

    def ask() -> None:
        with urllib.request.urlopen(url, timeout=5):
            pass

    await asyncio.to_thread(ask)

"""Everything that runs on one machine, in one table: what it is, and what it needs before it starts."""

import asyncio
import sys
import urllib.request
from dataclasses import replace

from settings import Settings
from stack.addresses import HOST
from stack.component import Component
from stack.lag import group_is_stable
from stack.servers import MEASURED, SERVERS, Servers, plan
from topics.catalog import ALERTS_GROUP, PERSIST_GROUP, WORKER_GROUP

NAMES = (*SERVERS, "mlflow", "worker", "persist", "watch", "trainer", "alerts", "dashboard", "api")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Each library has a variable of its own that says how many threads it may use."""


def components(settings: Settings) -> tuple[Component, ...]:
    """Choose the addresses, write them down, and return the whole table."""
    servers = plan(settings)
    kafka, port, api_port = servers.broker, servers.addresses.dashboard_port, servers.addresses.api_port

    async def worker_reads() -> None:
        await group_is_stable(kafka, WORKER_GROUP)

    async def persist_reads() -> None:
        await group_is_stable(kafka, PERSIST_GROUP)

    async def alerts_reads() -> None:
        await group_is_stable(kafka, ALERTS_GROUP)

    async def dashboard_answers() -> None:
        await answers(port)

    async def api_answers() -> None:
        await answers(api_port)

    prepare = step("prepare", "stack.prepare", needs=SERVERS)
    train = step("train", "stack.sample", "train", needs=())
    deploy = step("deploy", "learning.announce", needs=("prepare", "train"))
    worker = replace(python("worker", "stream.worker", needs=("prepare", "train", "deploy")), check=worker_reads)
    persist = replace(python("persist", "stream.persist", needs=("prepare", "train")), check=persist_reads)
    watch = python("watch", "learning.watch", needs=("prepare", "train", "deploy"))
    trainer = replace(
        python("trainer", "learning.trainer", needs=("prepare", "train", "deploy")),
        environment=dict.fromkeys(THREADS, "1"),  # the other cores are the stream's
    )
    alerts = replace(python("alerts", "alerts.worker", needs=("prepare",)), check=alerts_reads)
    page = replace(
        python("dashboard", "dashboard.serve", needs=("prepare",)),
        check=dashboard_answers,
        address=f"http://{HOST}:{port}",
    )
    api = replace(
        python("api", "api.serve", needs=("prepare",)), check=api_answers, address=f"http://{HOST}:{api_port}"
    )
    sample = step("sample", "stack.sample", "replay", needs=("worker", "persist"))
    ours = (
        prepare,
        train,
        deploy,
        worker,
        persist,
        watch,
        trainer,
        alerts,
        page,
        api,
        *((sample,) if settings.sample else ()),
    )
    told = {one.name: {**one.environment, **environment(settings, servers, one.name)} for one in ours}
    return (*servers.components, *(replace(one, environment=told[one.name]) for one in ours))


def environment(settings: Settings, servers: Servers, name: str) -> dict[str, str]:
    """Return what a component of ours is told: its home, and where to show its metrics."""
    found = {"FORETICK_HOME": str(settings.home.resolve())}
    if name in MEASURED:
        found["FORETICK_METRICS_PORT"] = str(servers.addresses.metrics_ports[name])
    return found


def python(name: str, module: str, *arguments: str, needs: tuple[str, ...]) -> Component:
    """Return a component that is a Python module of the project."""
    return Component(name, lambda: [sys.executable, "-u", "-m", module, *arguments], needs=needs)


def step(name: str, module: str, *arguments: str, needs: tuple[str, ...]) -> Component:
    """Return a step of the set-up: a module that runs to its end once."""
    return replace(python(name, module, *arguments, needs=needs), once=True)


async def answers(port: int) -> None:
    """Ask the dashboard or the API how it is; raises OSError when it does not answer well."""
    url = f"http://{HOST}:{port}/health"

    def ask() -> None:
        with urllib.request.urlopen(url, timeout=5):
            pass

    await asyncio.to_thread(ask)

"""Everything that runs on one machine, in one table: what it is, and what it needs before it starts."""

import asyncio
import sys
import urllib.request
from dataclasses import replace

from settings import Settings
from stack.addresses import HOST
from stack.component import Component
from stack.servers import MEASURED, SERVERS, Servers, plan
from stream.condition import Condition
from stream.probe import asked

NAMES = (*SERVERS, "mlflow", "worker", "persist", "watch", "trainer", "alerts", "dashboard", "api")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Each library has a variable of its own that says how many threads it may use."""


def components(settings: Settings) -> tuple[Component, ...]:
    """Choose the addresses, write them down, and return the whole table."""
    servers = plan(settings)
    port, api_port = servers.addresses.dashboard_port, servers.addresses.api_port

    prepare = step("prepare", "stack.prepare", needs=SERVERS)
    train = step("train", "stack.sample", "train", needs=())
    deploy = step("deploy", "learning.announce", needs=("prepare", "train"))
    worker = python("worker", "stream.worker", needs=("prepare", "train", "deploy"))
    persist = python("persist", "stream.persist", needs=("prepare", "train"))
    watch = python("watch", "learning.watch", needs=("prepare", "train", "deploy"))
    trainer = replace(
        python("trainer", "learning.trainer", needs=("prepare", "train", "deploy")),
        environment=dict.fromkeys(THREADS, "1"),  # the other cores are the stream's
    )
    alerts = python("alerts", "alerts.worker", needs=("prepare",))
    page = replace(python("dashboard", "dashboard.serve", needs=("prepare",)), address=f"http://{HOST}:{port}")
    api = replace(python("api", "api.serve", needs=("prepare",)), address=f"http://{HOST}:{api_port}")
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
    return (*servers.components, *(told(one, settings, servers) for one in ours))


def told(one: Component, settings: Settings, servers: Servers) -> Component:
    """Return a component of ours with what it is told, and where it is asked how it is."""
    one = replace(one, environment={**one.environment, **environment(settings, servers, one.name)})
    if one.name not in MEASURED:
        return one
    port, page = (
        servers.addresses.metrics_ports[one.name],
        {
            "dashboard": servers.addresses.dashboard_port,
            "api": servers.addresses.api_port,
        }.get(one.name),
    )

    async def condition() -> Condition:
        if page is not None:
            await answers(page)
        return await asyncio.to_thread(asked, port)

    return replace(one, check=condition)


def environment(settings: Settings, servers: Servers, name: str) -> dict[str, str]:
    """Return what a component of ours is told: its home, its name among its kind, and where to show its metrics."""
    found = {"FORETICK_HOME": str(settings.home.resolve())}
    if name in ("worker", "persist"):
        found["FORETICK_WORKER_NAME"] = "1"  # killed and started again, it need not wait until Kafka misses it
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

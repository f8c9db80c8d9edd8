"""The table of all components on one machine, with the requirements of each."""

import asyncio
import urllib.request
from dataclasses import replace

from observability.condition import Condition
from observability.probe import asked
from settings import Settings, places, threads
from stack import config_copy
from stack.addresses import HOST
from stack.component import Component
from stack.servers import MEASURED, SERVERS, Servers, plan

NAMES = (*SERVERS, "mlflow", "worker", "persist", "watch", "trainer", "alerts", "dashboard", "api")


def components(settings: Settings) -> tuple[Component, ...]:
    """Choose the addresses, write them, and return the table."""
    servers = plan(settings)
    config_copy.keep(settings)
    port, api_port = servers.addresses.dashboard_port, servers.addresses.api_port

    prepare = step("prepare", "stack.prepare", needs=SERVERS)
    train = step("train", "stack.sample", "train", needs=())
    deploy = step("deploy", "learning.deployment.announce", needs=("prepare", "train"))
    worker = python("worker", "stream.worker", needs=("prepare", "train", "deploy"))
    persist = python("persist", "stream.persist", needs=("prepare", "train"))
    watch = python("watch", "learning.watch", needs=("prepare", "train", "deploy"))
    trainer = replace(
        python("trainer", "learning.trainer", needs=("prepare", "train", "deploy")),
        environment=threads.ONE,  # the other cores are for the stream
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
    return (*servers.components, *(with_environment(one, settings, servers) for one in ours))


def with_environment(one: Component, settings: Settings, servers: Servers) -> Component:
    """Return a component of ours with its environment and its condition's address."""
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
    """Return a component's environment: its home and settings, its name among its kind, and its metrics port."""
    values = config_copy.environment(settings.home.resolve())
    if name in ("worker", "persist"):
        values["FORETICK_WORKER_NAME"] = (
            "1"  # after a kill and restart, it need not wait for the end of its session in Kafka
        )
    if name in MEASURED:
        values["FORETICK_METRICS_PORT"] = str(servers.addresses.metrics_ports[name])
    return values


def python(name: str, module: str, *arguments: str, needs: tuple[str, ...]) -> Component:
    """Return a component that is a Python module of the project."""
    return Component(name=name, launch=lambda: places.module(module, *arguments), needs=needs)


def step(name: str, module: str, *arguments: str, needs: tuple[str, ...]) -> Component:
    """Return a step of the set-up: a module that runs to its end once."""
    return replace(python(name, module, *arguments, needs=needs), once=True)


async def answers(port: int) -> None:
    """Check the dashboard or the API; raises OSError if it does not answer properly."""
    url = f"http://{HOST}:{port}/health"

    def ask() -> None:
        with urllib.request.urlopen(url, timeout=5):
            pass

    await asyncio.to_thread(ask)

"""Everything that runs on one machine, in one table: what it is, and what it needs before it starts."""

import asyncio
import sys
import urllib.request
from collections.abc import Awaitable, Callable

from settings import Settings
from stack.addresses import HOST
from stack.component import Component
from stack.lag import PERSIST_GROUP, WORKER_GROUP, group_is_stable
from stack.servers import SERVERS, plan

PERSIST, WORKER, DASHBOARD = "persist", "worker", "dashboard"


def components(settings: Settings, *, sample: bool = True) -> tuple[Component, ...]:
    """Choose the addresses and return the whole table; `sample` adds the replay of the bundled sample."""
    servers = plan(settings)
    home, kafka = settings.home, servers.addresses.kafka
    port = servers.addresses.dashboard_port

    def python(
        name: str,
        module: str,
        *arguments: str,
        needs: tuple[str, ...],
        check: Callable[[], Awaitable[None]] | None = None,
        address: str = "",
        once: bool = False,
    ) -> Component:
        return Component(
            name,
            lambda: [sys.executable, "-m", module, *arguments],
            check,
            address,
            needs,
            once,
            environment={"FORETICK_HOME": str(home), "PYTHONUNBUFFERED": "1"},
        )

    return (
        *servers.components,
        python("prepare", "stack.prepare", needs=SERVERS, once=True),
        python(WORKER, "stream.worker", needs=("prepare",), check=lambda: group_is_stable(kafka, WORKER_GROUP)),
        python(PERSIST, "stream.persist", needs=("prepare",), check=lambda: group_is_stable(kafka, PERSIST_GROUP)),
        python(
            DASHBOARD,
            "dashboard.serve",
            needs=("prepare",),
            check=lambda: answers(port),
            address=f"http://{HOST}:{port}",
        ),
    )


async def answers(port: int) -> None:
    """Ask the dashboard for its metadata, which opens no session; raises when it does not answer."""
    url = f"http://{HOST}:{port}/metadata"

    def ask() -> None:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own server, by http
            pass

    await asyncio.to_thread(ask)

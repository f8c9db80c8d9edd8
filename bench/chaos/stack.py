"""The default stack behind proxies: `python -m bench.chaos.stack [NAME…]`, in the home of FORETICK_HOME.

As `python -m stack`, but that everyone reaches Kafka, PostgreSQL and Redis at the ports of FORETICK_CHAOS_PORTS, behind
which the proxies are, and that worker and persist can be told to die at a point of their work. Where the servers
themselves listen is written to <home>/chaos.json.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from bench.chaos.proxy import HOST
from settings import ADDRESSES, Settings
from stack import supervisor
from stack.component import Component
from stack.component_table import components

PORTS = "FORETICK_CHAOS_PORTS"
TARGETS = "chaos.json"
CRASHING = ("worker", "persist")
CLOCK, LIBRARY = "FORETICK_CHAOS_CLOCK", "clock.so"
"""The folder of the library that makes a clock wrong, and of a file a component that says by how many seconds; unset
where there is no compiler."""


def redirected(settings: Settings) -> tuple[Component, ...]:
    """Return the stack's components, every server behind its proxy."""
    ports = json.loads(os.environ[PORTS])
    home = settings.home.resolve()
    results = components(settings)
    path = home / ADDRESSES
    addresses = json.loads(path.read_text())
    kafka, database, redis = addresses["kafka"], urlsplit(addresses["database_url"]), urlsplit(addresses["redis_url"])
    targets = {"kafka": int(kafka.rpartition(":")[2]), "postgres": database.port, "redis": redis.port}
    (home / TARGETS).write_text(json.dumps(targets))
    addresses["kafka"] = f"{HOST}:{ports['kafka']}"
    addresses["database_url"] = database._replace(netloc=_at(database.netloc, ports["postgres"])).geturl()
    addresses["redis_url"] = redis._replace(netloc=_at(redis.netloc, ports["redis"])).geturl()
    path.write_text(json.dumps(addresses))
    return tuple(_behind(one, home, targets["kafka"], ports["kafka"]) for one in results)


def _at(place: str, port: int) -> str:
    return f"{place.rpartition(':')[0]}:{port}"


def _behind(component: Component, home: Path, port: int, proxy: int) -> Component:
    launch = component.launch
    if component.name == "kafka" and launch is not None:
        return replace(component, launch=lambda: _advertising(launch, home, port, proxy))
    if component.name in CRASHING:
        command = [sys.executable, "-u", "-m", "bench.chaos.crash", component.name]
        fields = {**component.environment, **_clock(component.name)}
        return replace(component, launch=lambda: command, environment=fields)
    return component


def _advertising(launch: Callable[[], list[str]], home: Path, port: int, proxy: int) -> list[str]:
    """Let the broker name the proxy as the place where it is: clients go where the metadata sends them."""
    command = launch()
    path = home / "kafka" / "server.properties"
    lines = path.read_text().splitlines()
    path.write_text(
        "\n".join(
            line.replace(f"{HOST}:{port}", f"{HOST}:{proxy}") if line.startswith("advertised.listeners=") else line
            for line in lines
        )
        + "\n"
    )
    return command


def _clock(name: str) -> dict[str, str]:
    folder = os.environ.get(CLOCK)
    if not folder:
        return {}
    file = Path(folder) / name
    file.write_text("0")
    return {"LD_PRELOAD": str(Path(folder) / LIBRARY), "FORETICK_CHAOS_CLOCK_FILE": str(file)}


if __name__ == "__main__":
    configured, wanted = Settings(), sys.argv[1:]
    supervisor.run(
        lambda: tuple(one for one in redirected(configured) if not wanted or one.name in wanted),
        configured.home.resolve(),
    )

"""Restarts one component of a running stack: the request is a file, which the supervisor picks up."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from settings.home import private
from stack import state
from stack.component_watch import ProcessMonitor
from stack.errors import MachineError
from stack.process import Identity
from stack.state import StackState, Status
from topics.suggestions import unknown

FOLDER = "restart"
LOOK_S, POLL_S = 0.5, 0.2
TAKE_S, WELL_S = 30.0, 300.0
"""Timeouts for the supervisor to pick up the request, and for the component to work."""


async def take(home: Path, watches: Mapping[str, ProcessMonitor]) -> None:
    """For ever, restart requested components; requests to an earlier supervisor are ignored."""
    _asked(home)
    while True:
        await asyncio.sleep(LOOK_S)
        for name in _asked(home):
            if name in watches and watches[name].component.launch is not None:
                watches[name].asked.set()


def _asked(home: Path) -> list[str]:
    """Return the requests, once."""
    results = []
    with suppress(OSError):
        for path in (home / FOLDER).iterdir():
            path.unlink()
            results.append(path.name)
    return results


def restart(home: Path, name: str, on_change: Callable[[StackState], None]) -> Identity:
    """Make the supervisor restart a component, and return its new process when it works.

    Raises ValueError if there is no such component to restart, MachineError if it does not recover.
    """
    current = state.read(home)
    if current is None or not current.running():
        raise ValueError("the stack is not running: foretick up")
    before, asked_at = _restartable(current, name).identity(), time.time()
    private(home / FOLDER)
    request = home / FOLDER / name
    request.touch()
    while request.exists():
        if time.time() > asked_at + TAKE_S:
            request.unlink(missing_ok=True)
            raise MachineError(f"the supervisor, process {current.supervisor.pid}, does not respond: foretick down, up")
        time.sleep(POLL_S)
    while (current := state.read(home)) is not None and current.running():
        status = current.components[name]
        identity = status.identity()
        if identity is not None and identity != before:
            on_change(StackState(current.supervisor, {name: status}))
            if status.works and status.good():
                return identity
        given_up = status.given_up() and (status.since or 0.0) > asked_at
        if given_up or (status.state == "looping" and identity != before) or time.time() > asked_at + WELL_S:
            raise MachineError(f"{name} {status.state}: {status.last_error or status.why}; see foretick logs {name}")
        time.sleep(POLL_S)
    raise MachineError(f"the stack was stopped before {name} was healthy again")


def _restartable(current: StackState, name: str) -> Status:
    """Return a component's status. Raises ValueError if there is none of that name that we start."""
    known = [name for name, status in current.components.items() if not status.once]
    status = current.components.get(name)
    if status is None:
        raise ValueError(unknown("component", name, known))
    if status.external:
        raise ValueError(f"{name} is not run by this stack: {status.address} is an external server")
    if status.once and status.state != "failed":
        raise ValueError(
            f"{name} is a step of the set-up, and {status.state}; components to restart: {', '.join(known)}"
        )
    return status

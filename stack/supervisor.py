"""Runs a table of components until told to stop, and writes down how each is."""

import asyncio
import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from settings.home import private, tighten
from stack import state
from stack.component import Component, in_order
from stack.errors import MachineError
from stack.process import Identity, stop_left_over
from stack.state import StackState, Status
from stack.watch import Watch

LOCK = "up.lock"


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the lock that a supervisor holds for its lifetime; the kernel lets go of it however the process ends.

    Raises MachineError when another holds it.
    """
    private(home)
    with (home / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MachineError(f"the stack in {home} is already running; stop it with `./foretick down`") from error
        yield


def clear_left_overs(home: Path) -> None:
    """Stop what a killed supervisor left behind: the processes that it wrote down, if they are still the same."""
    last = state.read(home)
    for status in reversed(list(last.components.values()) if last else []):
        identity = status.identity()
        if identity is not None:
            stop_left_over(identity)


async def supervise(
    table: tuple[Component, ...], home: Path, on_change: Callable[[StackState], None] | None = None
) -> StackState:
    """Run the components until SIGINT or SIGTERM, then stop them, those that need others first.

    Takes over both signals; call it in the main thread. The caller holds `only_one`.
    """
    own = Identity.of(os.getpid())
    assert own is not None  # noqa: S101 - for mypy: we run
    current = StackState(own)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)

    def changed() -> None:
        state.write(home, current)
        if on_change is not None:
            on_change(current)

    watches: dict[str, Watch] = {}
    for component in in_order(table):
        status = Status("starting", component.address, component.once, external=component.launch is None)
        current.components[component.name] = status
        needs = [watches[name] for name in component.needs if name in watches]
        watch = Watch(component, home / "logs" / f"{component.name}.log", status, changed, stopping, needs)
        for need in needs:
            need.dependents.append(watch)
        watches[component.name] = watch
    changed()
    await asyncio.gather(*(watch.run() for watch in watches.values()))
    return current


def run(
    table: Callable[[], tuple[Component, ...]], home: Path, on_change: Callable[[StackState], None] | None = None
) -> StackState:
    """Run the stack in this process; returns its last state when told to stop.

    `table` is called once the lock is held and left-overs are gone, since it chooses free ports.
    """
    os.umask(0o077)  # of the components too: a home that is opened one day opens none of its files
    with only_one(home):
        tighten(home)  # what an older version made
        clear_left_overs(home)
        return asyncio.run(supervise(table(), home, on_change))

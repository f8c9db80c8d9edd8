"""Runs a table of components until told to stop, and writes down how each is.

Where that cannot be written, the disk being full, it says so, goes on, and writes when there is room again.
"""

import asyncio
import fcntl
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from settings.home import private, tighten
from stack import state
from stack.component import Component, in_order
from stack.errors import MachineError
from stack.process import Identity, stop_left_over
from stack.state import StackState, Status
from stack.watch import Watch

log = logging.getLogger("foretick")

LOCK = "up.lock"
LOOK_S = 1.0
"""How long a lock is tried for: who asks whether a supervisor runs holds it for a moment."""
AGAIN_S = 2.0
"""The time between two attempts to write the state."""


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the lock that a supervisor holds for its lifetime; the kernel lets go of it however the process ends.

    Raises MachineError when another holds it.
    """
    private(home)
    with (home / LOCK).open("a") as file:
        deadline = time.monotonic() + LOOK_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise MachineError(
                        f"the stack in {home} is already running; stop it with `./foretick down`"
                    ) from error
                time.sleep(LOOK_S / 10)
        yield


def is_locked(home: Path) -> bool:
    """Tell whether a supervisor runs, whatever its state file says: the lock goes with its process."""
    with suppress(FileNotFoundError), (home / LOCK).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def holder(home: Path) -> Identity | None:
    """Return the supervisor: whom its state names, or else who has the lock open; None where none is found."""
    if not is_locked(home):
        return None
    known = state.read(home)
    if known is not None and known.running():
        return known.supervisor
    lock = str((home / LOCK).resolve())
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and any(one.path == lock for one in process.open_files()):
                return Identity.of(process.pid)
    return None


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

    written = Written(home, current)

    def changed() -> None:
        written.write()
        if on_change is not None:
            with suppress(OSError):  # what tells of it may have no room either
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
    writing = asyncio.create_task(written.keep())
    try:
        await asyncio.gather(*(watch.run() for watch in watches.values()))
    finally:
        writing.cancel()
    return current


class Written:
    """The state in its file. Where it cannot be written, that is logged once, and done when it can."""

    def __init__(self, home: Path, current: StackState) -> None:
        self._home, self._current = home, current
        self._since: float | None = None

    def write(self) -> None:
        """Write it, or note that it is still to be written."""
        before = self._current.problem
        if self._since is not None:
            until = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
            self._current.problem = f"for {time.time() - self._since:.0f} s, until {until}, this could not be written"
        try:
            state.write(self._home, self._current)
        except OSError as error:
            self._current.problem = before
            if self._since is None:
                self._since = time.time()
                log.error("the state cannot be written in %s: %s; going on without", self._home, error.strerror)
            return
        if self._since is not None:
            self._since = None
            log.warning("the state can be written in %s again", self._home)

    async def keep(self) -> None:
        """For ever, write what could not be written."""
        while True:
            await asyncio.sleep(AGAIN_S)
            if self._since is not None:
                self.write()


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

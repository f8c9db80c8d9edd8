"""Runs a table of components until stopped, and writes their states.

If the disk is full, it logs this, continues, and writes when there is space again.
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
from stack import restart, state
from stack.component import Component, in_order
from stack.component_watch import ProcessMonitor
from stack.errors import MachineError
from stack.process import Identity, stop_left_over
from stack.state import StackState, Status

log = logging.getLogger("foretick")

LOCK = "up.lock"
LOOK_S = 1.0
"""How long to try for the lock, which a check for a running supervisor holds briefly."""
AGAIN_S = 2.0
"""The time between two attempts to write the state."""


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the lock that a supervisor holds for its lifetime; the kernel releases it however the process ends.

    Raises MachineError if another holds it.
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
    """Return whether a supervisor runs, by its lock, which ends with its process."""
    with suppress(FileNotFoundError), (home / LOCK).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def holder(home: Path) -> Identity | None:
    """Return the supervisor's process: the one in its state, or else the one with the lock open; None if there is
    none."""
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
    """Stop the processes left by a killed supervisor: those in its state, if they are still the same."""
    last = state.read(home)
    for status in reversed(list(last.components.values()) if last else []):
        identity = status.identity()
        if identity is not None:
            stop_left_over(identity)


async def supervise(
    table: tuple[Component, ...], home: Path, on_change: Callable[[StackState], None] | None = None
) -> StackState:
    """Run the components until SIGINT or SIGTERM, then stop them, dependents first.

    Handles both signals; call it in the main thread. The caller holds `only_one`.
    """
    own = Identity.of(os.getpid())
    assert own is not None  # noqa: S101 - for mypy: we run
    current = StackState(own)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)

    written = StateFile(home, current)

    def changed() -> None:
        written.write()
        if on_change is not None:
            with suppress(OSError):  # the log may have no space either
                on_change(current)

    watches: dict[str, ProcessMonitor] = {}
    for component in in_order(table):
        status = Status(
            state="starting", address=component.address, once=component.once, external=component.launch is None
        )
        current.components[component.name] = status
        needs = [watches[name] for name in component.needs if name in watches]
        watch = ProcessMonitor(
            component=component,
            log=home / "logs" / f"{component.name}.log",
            status=status,
            changed=changed,
            stopping=stopping,
            needs=needs,
        )
        for need in needs:
            need.dependents.append(watch)
        watches[component.name] = watch
    changed()
    writing = asyncio.create_task(written.keep())
    asked = asyncio.create_task(restart.take(home, watches))
    try:
        await asyncio.gather(*(watch.run() for watch in watches.values()))
    finally:
        writing.cancel()
        asked.cancel()
    return current


class StateFile:
    """The state in its file. A failure to write is logged once, and retried."""

    def __init__(self, home: Path, current: StackState) -> None:
        self._home, self._current = home, current
        self._since: float | None = None

    def write(self) -> None:
        """Write it, or mark it as unwritten."""
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
                log.error("the state cannot be written in %s: %s; continuing without", self._home, error.strerror)
            return
        if self._since is not None:
            self._since = None
            log.warning("the state can be written in %s again", self._home)

    async def keep(self) -> None:
        """For ever, retry failed writes."""
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
    os.umask(0o077)  # of the components too, so that files stay private if the home's mode is changed later
    with only_one(home):
        tighten(home)  # files of an older version
        clear_left_overs(home)
        return asyncio.run(supervise(table(), home, on_change))

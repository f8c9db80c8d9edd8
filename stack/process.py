"""Starts and stops operating-system processes, and distinguishes a process from a later one with the same id."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from settings import places
from stack.errors import MachineError

LOG_BYTES = 20_000_000


@dataclass(frozen=True)
class Identity:
    """A process: its id, and when it was created (seconds since 1970), since ids are reused."""

    pid: int
    create_time: float

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """Return the identity of a running process, None if there is none with that id."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    def alive(self) -> bool:
        """Return whether this process still runs."""
        try:
            process = psutil.Process(self.pid)
            return process.create_time() == self.create_time and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def command_line(command: list[str], user: str | None, parent_dies: signal.Signals) -> list[str]:
    """Return the command under setpriv: as another user, and signalled when the supervisor dies."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise MachineError("setpriv is not on the PATH; install util-linux (apt-get install util-linux)")
    drop = [f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
    return [setpriv, *drop, "--pdeathsig", parent_dies.name.removeprefix("SIG"), "--", *command]


def open_log(path: Path) -> int:
    """Open a log for appending and return its file descriptor; a large log is rotated first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def last_line(log: Path, limit: int = 8192) -> str:
    """Return the last non-empty line of a log, "" if there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - limit))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


async def spawn(
    command: list[str], log: Path, *, user: str | None, environment: Mapping[str, str], stop_signal: signal.Signals
) -> asyncio.subprocess.Process:
    """Start a command in a session of its own, so that Ctrl-C at the terminal reaches only the supervisor.

    Must be called from the thread that lives as long as the supervisor: the kernel ties the death signal to it.
    """
    output = open_log(log)
    try:
        return await asyncio.create_subprocess_exec(
            *command_line(command, user, stop_signal),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=places.FOLDER if user is None else "/",
            env={**places.environment(), **environment},
            start_new_session=True,
        )
    finally:
        os.close(output)


async def stop(process: asyncio.subprocess.Process, stop_signal: signal.Signals, wait_s: float) -> None:
    """Signal a process to end, wait, then kill its whole group."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(stop_signal)
        try:
            async with asyncio.timeout(wait_s):
                await process.wait()
        except TimeoutError:
            kill_group(process.pid)
            await process.wait()
    kill_group(process.pid)


def kill_group(pid: int) -> None:
    """Kill the rest of a component's process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def stop_left_over(identity: Identity, wait_s: float = 10.0) -> None:
    """Stop a component that outlived its supervisor."""
    if not identity.alive():
        return
    process = psutil.Process(identity.pid)
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(wait_s)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(wait_s)

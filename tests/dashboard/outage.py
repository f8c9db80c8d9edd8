"""A stack of its own whose servers a test takes away, and gives back, while its supervisor looks elsewhere."""

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from stacks import Servers

from stack import state


def _pid(servers: Servers, name: str) -> int:
    current = state.read(servers.home)
    assert current is not None
    pid = current.components[name].pid
    assert pid is not None
    return pid


def _supervisor(servers: Servers) -> int:
    current = state.read(servers.home)
    assert current is not None
    return current.supervisor.pid


def _signal(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process and all that it has started: PostgreSQL's are not of its group."""
    process = psutil.Process(pid)
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            one.send_signal(number)


@contextmanager
def stopped(servers: Servers, name: str) -> Iterator[None]:
    """Kill a server with all its processes; at the end of the block the supervisor starts it again."""
    supervisor = _supervisor(servers)
    os.kill(supervisor, signal.SIGSTOP)
    try:
        _signal(_pid(servers, name), signal.SIGKILL)
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)


@contextmanager
def frozen(servers: Servers, name: str) -> Iterator[None]:
    """Let a server do nothing, with all its connections open, until the end of the block."""
    supervisor, server = _supervisor(servers), _pid(servers, name)
    os.kill(supervisor, signal.SIGSTOP)
    try:
        _signal(server, signal.SIGSTOP)
        yield
    finally:
        _signal(server, signal.SIGCONT)
        os.kill(supervisor, signal.SIGCONT)

"""A stack of its own whose servers a test takes away, and gives back, while its supervisor looks elsewhere."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def stopped(servers: Servers, name: str) -> Iterator[None]:
    """Kill a server with all its processes; at the end of the block the supervisor starts it again."""
    supervisor = _supervisor(servers)
    os.kill(supervisor, signal.SIGSTOP)
    try:
        os.killpg(_pid(servers, name), signal.SIGKILL)
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)


@contextmanager
def frozen(servers: Servers, name: str) -> Iterator[None]:
    """Let a server do nothing, with all its connections open, until the end of the block."""
    supervisor, server = _supervisor(servers), _pid(servers, name)
    os.kill(supervisor, signal.SIGSTOP)
    try:
        os.killpg(server, signal.SIGSTOP)
        yield
    finally:
        os.killpg(server, signal.SIGCONT)
        os.kill(supervisor, signal.SIGCONT)

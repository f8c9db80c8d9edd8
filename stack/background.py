"""Starts the supervisor in the background, waits for it, and stops it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from settings import places
from settings.home import private
from stack import state
from stack.errors import MachineError
from stack.process import last_line, open_log
from stack.progress import failures, not_well, up_and_healthy
from stack.state import StackState
from stack.supervisor import clear_left_overs, holder

LOG = "logs/supervisor.log"
START_S, STOP_S, POLL_S = 600.0, 90.0, 0.2


def start(home: Path, names: tuple[str, ...], on_change: Callable[[StackState], None]) -> subprocess.Popen[bytes]:
    """Start the supervisor for the named components (all if none is named), and return it when they are healthy.

    Raises MachineError if one is given up, if the supervisor ends, or if it takes too long.
    """
    private(home)
    output = open_log(home / LOG)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own command
            places.module("stack", *names),
            cwd=places.FOLDER,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**places.environment(), "FORETICK_HOME": str(home)},
        )
    finally:
        os.close(output)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        current = state.read(home)
        if current is not None and current.supervisor.pid == process.pid:
            on_change(current)
            if failures(current):
                raise MachineError(f"{failures(current)[0]}; the stack still runs: see `./foretick status`")
            if up_and_healthy(current):
                return process
        if process.poll() is not None:
            raise MachineError(f"the supervisor ended; the last line of {home / LOG}: {last_line(home / LOG)}")
        time.sleep(POLL_S)
    raise MachineError(
        f"after {START_S:.0f} s not healthy: {'; '.join(not_well(state.read(home)))}; see `foretick doctor`"
    )


def stop(home: Path, on_change: Callable[[StackState], None]) -> bool:
    """Stop the supervisor, and with it the components; return whether there was one.

    A supervisor that does not end in time is killed: the kernel then signals its components.
    """
    current = state.read(home)
    supervisor = current.supervisor if current is not None and current.running() else holder(home)
    if supervisor is None:
        clear_left_overs(home)
        return False
    os.kill(supervisor.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    while supervisor.alive():
        if time.monotonic() > deadline:
            os.kill(supervisor.pid, signal.SIGKILL)
        time.sleep(POLL_S)
        current = state.read(home)
        if current is not None:
            on_change(current)
    clear_left_overs(home)
    return True

"""The real Kafka, TimescaleDB and Redis for the tests marked `services`: started once a session, stopped at its end."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from settings import ADDRESSES, ROOT
from stack import state

START_S = 120.0


@dataclass(frozen=True)
class Servers:
    """Where the session's own servers are."""

    home: Path
    kafka: str
    database_url: str
    redis_url: str


def environment_of(home: Path) -> dict[str, str]:
    """Return the environment without any address from outside, for a stack of its own in `home`."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("FORETICK_")}
    return {**clean, "FORETICK_HOME": str(home)}


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Start the servers through the stack's own supervisor, on free ports, in a folder that is removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix="foretick-test-"))
    home.chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
    command = [sys.executable, "-m", "stack", "kafka", "postgres", "redis"]
    with (home / "supervisor.log").open("w") as log:
        supervisor = subprocess.Popen(command, cwd=ROOT, env=environment_of(home), stdout=log, stderr=log)
    try:
        wait_until_healthy(home, supervisor)
        found = json.loads((home / ADDRESSES).read_text())
        yield Servers(home, found["kafka"], found["database_url"], found["redis_url"])
    finally:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(60)
        shutil.rmtree(home)


def wait_until_healthy(home: Path, supervisor: subprocess.Popen[bytes]) -> None:
    """Wait for every server; fail with what the supervisor knows when they do not come up."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and supervisor.poll() is None:
        current = state.read(home)
        if current and all(status.state == "healthy" for status in current.components.values()):
            return
        time.sleep(0.1)
    current = state.read(home)
    pytest.fail(f"the servers did not start: {current}; {(home / 'supervisor.log').read_text()[-2000:]}")

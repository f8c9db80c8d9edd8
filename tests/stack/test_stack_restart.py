"""`foretick restart` over a real supervisor: of the real Redis, and of small processes that fail as they are told."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from stacks import environment_of

from settings import ROOT
from stack import background, restart, state
from stack.process import Identity
from stack.progress import Progress
from stack.state import StackState, Status

WAIT_S = 60.0
TABLE = """
import sys
from pathlib import Path
from stack import supervisor
from stack.component import Component
HOME = Path(sys.argv[1])
BROKEN = str(HOME / "broken")
CODE = f"import os, sys, time; os.path.exists({BROKEN!r}) and sys.exit('broken'); time.sleep(600)"
run = lambda: [sys.executable, "-c", CODE]
async def well():
    if (HOME / "broken").exists(): raise OSError("no answer")
table = (
    Component(name="first", launch=run, check=well),
    Component(name="second", launch=run, check=well, needs=("first",)),
    Component(name="step", launch=lambda: [sys.executable, "-c", ""], once=True),
)
supervisor.run(lambda: table, HOME)
"""


def foretick(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cli.main", *words]
    fields = environment_of(home) | {"COLUMNS": "80"}
    return subprocess.run(command, cwd=ROOT, env=fields, capture_output=True, text=True, check=False)


def until(home: Path, condition: Callable[[StackState], bool]) -> StackState:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        current = state.read(home)
        if current is not None and current.running() and condition(current):
            return current
        time.sleep(0.05)
    pytest.fail(str(state.read(home)))


def works(*names: str) -> Callable[[StackState], bool]:
    return lambda current: all(current.components[name].works for name in names)


def identity(home: Path, name: str) -> Identity | None:
    current = state.read(home)
    assert current is not None
    return current.components[name].identity()


@contextmanager
def supervisor(home: Path) -> Iterator[None]:
    """Have a supervisor run those small processes in a home; none starts while there is a file `broken` in it."""
    environment = environment_of(home) | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", TABLE, str(home)], cwd=ROOT, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(WAIT_S)


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Path]:
    with supervisor(tmp_path):
        yield tmp_path


def test_one_component_is_started_anew_and_no_other(supervised: Path) -> None:
    until(supervised, works("first", "second"))
    first, second = identity(supervised, "first"), identity(supervised, "second")
    done = foretick(supervised, "restart", "first")
    now = identity(supervised, "first")
    assert now is not None
    assert (done.returncode, done.stdout) == (0, f"first is healthy again, as process {now.pid}\n")
    assert first is not None
    assert (now == first, first.alive(), now.alive()) == (False, False, True)
    assert identity(supervised, "second") == second
    status = until(supervised, works("first", "second")).components["first"]
    assert (status.restarts, status.restarted_at, status.last_error) == (0, [], None)  # it was no failure
    assert list((supervised / restart.FOLDER).iterdir()) == []


@pytest.mark.slow
def test_a_component_that_fails_after_a_restart_is_told_and_can_be_restarted_again(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    with supervisor(tmp_path):
        until(tmp_path, lambda current: current.components["first"].state == "failed")
        done = foretick(tmp_path, "restart", "first")
        assert (done.returncode, done.stdout) == (1, "")
        last = done.stderr.splitlines()[-1]
        assert last.startswith("foretick: first looping: ended with exit code 1; the last line of ")
        assert last.endswith(": broken; see foretick logs first")
        (tmp_path / "broken").unlink()
        assert foretick(tmp_path, "restart", "first").returncode == 0
        until(tmp_path, works("first", "second"))  # with it comes what needs it


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("frist", "there is no component 'frist': the nearest is 'first'"),
        ("step", "step is a step of the set-up, and done; components to restart: first, second"),
    ],
)
def test_a_wrong_name_is_told(supervised: Path, name: str, text: str) -> None:
    until(supervised, lambda current: works("first")(current) and current.components["step"].state == "done")
    done = foretick(supervised, "restart", name)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"foretick: {text}\n")


def test_where_nothing_runs_that_is_said(tmp_path: Path) -> None:
    done = foretick(tmp_path, "restart", "worker")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "foretick: the stack is not running: foretick up\n")


def test_an_external_server_is_not_restarted(tmp_path: Path) -> None:
    us = Identity.of(os.getpid())
    assert us is not None
    status = Status(state="healthy", address="kafka.example:9092", external=True, works=True)
    state.write(tmp_path, StackState(us, {"kafka": status}))
    done = foretick(tmp_path, "restart", "kafka")
    assert (done.returncode, done.stderr) == (
        2,
        "foretick: kafka is not run by this stack: kafka.example:9092 is an external server\n",
    )


@pytest.mark.services
def test_the_real_redis_keeps_its_port_and_answers_again(tmp_path: Path) -> None:
    process = background.start(tmp_path, ("redis",), Progress())
    try:
        before = identity(tmp_path, "redis")
        address = (tmp_path / "addresses.json").read_text()
        done = foretick(tmp_path, "restart", "redis")
        now = identity(tmp_path, "redis")
        assert now is not None
        assert now != before
        assert (done.returncode, done.stdout) == (0, f"redis is healthy again, as process {now.pid}\n")
        assert (tmp_path / "addresses.json").read_text() == address
    finally:
        background.stop(tmp_path, Progress())
        process.wait()

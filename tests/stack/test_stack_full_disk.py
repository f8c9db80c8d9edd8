"""A disk without room: the supervisor lives, says so, and goes on; so do the servers when there is room again."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from small_disk import SmallDisk, small_disk
from stacks import environment_of, running

from settings import ROOT, Settings
from stack import doctor, state, supervisor
from stack.background import stop
from stack.component_watch import ATTEMPTS_ONCE
from stack.state import StackState
from stack.status_report import report

pytestmark = pytest.mark.slow

WAIT_S = 120.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 32) as made:
        yield made


@contextmanager
def supervising(home: Path, table: str) -> Iterator["subprocess.Popen[bytes]"]:
    code = (
        "import sys\nfrom pathlib import Path\nfrom stack import supervisor\nfrom stack.component import Component\n"
        f"HOME = Path({str(home)!r})\ndef run(code): return lambda: [sys.executable, '-c', code]\n"
        f"supervisor.run(lambda: {textwrap.dedent(table)}, HOME)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment_of(home))
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(WAIT_S)


def until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def read(home: Path, condition: Callable[[StackState], bool]) -> StackState:
    until(lambda: (stack_state := state.read(home)) and condition(stack_state), f"{state.read(home)}")
    stack_state = state.read(home)
    assert stack_state is not None
    return stack_state


def children(pid: int) -> set[int]:
    return {child.pid for child in psutil.Process(pid).children() if child.status() != psutil.STATUS_ZOMBIE}


def test_the_supervisor_goes_on_without_room_and_writes_when_there_is_some(disk: SmallDisk) -> None:
    home, table = disk.folder, "(Component(name='server', launch=run('import time; time.sleep(600)')),)"
    with supervising(home, table) as process:
        before = read(home, lambda now: now.components["server"].state == "healthy")
        disk.fill()
        assert before.components["server"].pid is not None
        os.kill(before.components["server"].pid, signal.SIGKILL)
        until(lambda: children(process.pid) - {before.components["server"].pid}, "it was not started again")
        # What the file says is old: it names a process that is gone.
        shown = report(Settings(home=home), ("server",))
        assert shown.running
        assert shown.problem is not None
        assert str(home) in shown.problem
        assert shown.components["server"].state == "unknown"
        assert not shown.good()
        examined = doctor.supervisor(Settings(home=home))
        assert (examined.status, str(home) in str(examined.advice)) == ("fail", True)
        disk.empty()
        after = read(home, lambda now: now.components["server"].restarts == 1 and now.problem is not None)
        assert "could not be written" in str(after.problem)
        shown = report(Settings(home=home), ("server",))
        assert shown.problem is None
        assert any("could not be written" in line for line in shown.warnings)


def test_a_state_that_cannot_be_read_is_no_stack_that_does_not_run(disk: SmallDisk) -> None:
    home = disk.folder
    with supervising(home, "(Component(name='server', launch=run('import time; time.sleep(600)')),)") as process:
        read(home, lambda now: now.components["server"].state == "healthy")
        (home / state.FILE).write_text("{")
        shown = report(Settings(home=home), ("server",))
        assert shown.running
        assert "cannot be read" in str(shown.problem)
        assert shown.components["server"].state == "unknown"
        assert f"pid {process.pid}" in doctor.supervisor(Settings(home=home)).detail
        assert stop(home, lambda _: None)  # and `down` finds it all the same
        assert process.wait(WAIT_S) == 0
    assert not supervisor.is_locked(home)
    assert not report(Settings(home=home), ("server",)).running


def test_a_start_that_fails_for_want_of_room_names_the_folder(disk: SmallDisk, tmp_path: Path) -> None:
    home, starts = disk.folder, tmp_path / "starts"
    starts.write_text("")
    counts = f"open({str(starts)!r}, 'a').write('.')"
    writes = f"{counts}; open({str(home / 'data')!r}, 'wb').write(bytes(1_000_000)); import time; time.sleep(600)"
    disk.fill()
    with supervising(home, f"(Component(name='step', launch=run({writes!r}), once=True),)") as process:
        last = "." * ATTEMPTS_ONCE
        until(lambda: starts.read_text() == last and not children(process.pid), "it was not given up")
        disk.empty()
        failed = read(home, lambda now: now.components["step"].state == "failed")
    assert f"no space in {home}" in str(failed.components["step"].last_error)


@pytest.mark.long
@pytest.mark.services
@pytest.mark.slow
def test_the_servers_come_back_by_themselves_when_there_is_room_again() -> None:
    names = ("kafka", "postgres", "redis")
    # In no folder of pytest's: each session closes those, and PostgreSQL's user must come through.
    folder = Path(tempfile.mkdtemp(prefix="foretick-test-"))
    with small_disk(folder, 400) as disk, running(names, home=disk.folder) as servers:
        before = state.read(servers.home)
        disk.fill()
        for name in names:
            pid = before.components[name].pid if before else None
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
        until(
            lambda: all(report(Settings(home=servers.home), ()).components[name].state == "unknown" for name in names),
            "what is shown is not doubted",
        )
        time.sleep(10)  # whatever is started meanwhile finds no room
        disk.empty()
        healthy = read(
            servers.home,
            lambda now: now.problem is not None and all(now.components[name].works for name in names),
        )
        assert all(healthy.components[name].restarts > 0 for name in names)
        assert healthy.supervisor == before.supervisor if before else False
    folder.rmdir()

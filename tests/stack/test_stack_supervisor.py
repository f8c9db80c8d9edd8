"""The supervisor on real processes: small ones of Python, since what matters is how they begin and end."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from settings import ROOT
from stack import state
from stack.component_watch import ATTEMPTS
from stack.process import Identity
from stack.state import StackState

pytestmark = pytest.mark.slow

SLEEPER = "import time; time.sleep(600)"
WAIT_S = 60.0


class Stack:
    """A supervisor in a process of its own, over a table that a test writes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, table: str) -> None:
        script = self.home / "table.py"
        script.write_text(
            "import sys\nfrom pathlib import Path\n"
            "from stack import supervisor\nfrom stack.component import Component\n"
            f"HOME = Path({str(self.home)!r})\n"
            f"def run(code): return lambda: [sys.executable, '-c', code]\nSLEEPER = {SLEEPER!r}\n"
            f"table = {textwrap.dedent(table)}\n"
            "supervisor.run(lambda: table, HOME)\n"
        )
        with (self.home / "supervisor.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(script)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=log
            )

    def wait(self, condition: Callable[[StackState], bool]) -> StackState:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            current = state.read(self.home)
            if current and self.process and current.supervisor.pid == self.process.pid and condition(current):
                return current
            time.sleep(0.05)
        pytest.fail(f"{state.read(self.home)}; {(self.home / 'supervisor.log').read_text()}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(WAIT_S)


@pytest.fixture
def stack(tmp_path) -> Iterator[Stack]:
    made = Stack(tmp_path)
    yield made
    made.end()


def healthy(*names: str) -> Callable[[StackState], bool]:
    return lambda current: all(current.components[name].state == "healthy" for name in names)


def identity(current: StackState, name: str) -> Identity:
    result = current.components[name].identity()
    assert result is not None
    return result


def test_a_component_that_is_killed_is_started_again(stack):
    stack.start("(Component(name='server', launch=run(SLEEPER)),)")
    first = identity(stack.wait(healthy("server")), "server")
    os.kill(first.pid, signal.SIGKILL)
    again = stack.wait(lambda s: s.components["server"].restarts == 1 and healthy("server")(s))
    assert identity(again, "server") != first
    assert "signal 9" in again.components["server"].last_error


def test_the_state_shows_a_component_that_waits_for_its_restart(stack):
    stack.start("(Component(name='server', launch=run('import sys; sys.exit(\"no luck\")'), check=lambda: None),)")
    current = stack.wait(lambda s: s.components["server"].restarts > 0)
    assert current.components["server"].state == "restarting"
    assert "exit code 1" in current.components["server"].last_error
    assert "no luck" in current.components["server"].last_error


@pytest.mark.slow
def test_a_component_that_never_gets_healthy_is_given_up(stack):
    check = "async def check(): raise OSError('no answer')"
    stack.start(f"[exec({check!r}, globals()), (Component(name='server', launch=run('1/0'), check=check),)][1]")
    current = stack.wait(lambda s: s.components["server"].state == "failed")
    assert current.components["server"].restarts == ATTEMPTS - 1
    assert "ZeroDivisionError" in current.components["server"].last_error


def test_what_needs_a_component_starts_after_it_and_stops_before_it(stack):
    begin = "import signal, sys, time\nsay = lambda *_: open('{0}.at', 'a').write(f'{{time.time()}} ')\n"
    leave = "signal.signal(15, lambda *_: sys.exit(say() and 0)); say(); time.sleep(600)"  # the handler first
    code = {name: (begin + leave).format(stack.home / name) for name in ("worker", "server")}
    worker = f"Component(name='worker', launch=run({code['worker']!r}), needs=('server',))"
    stack.start(f"({worker}, Component(name='server', launch=run({code['server']!r})))")
    stack.wait(healthy("worker", "server"))
    for name in code:
        wait_for_text(stack.home / f"{name}.at")
    current = state.read(stack.home)
    assert current is not None
    started = {name: current.components[name].started_at or 0.0 for name in code}
    stack.end()
    times = {name: [float(word) for word in (stack.home / f"{name}.at").read_text().split()] for name in code}
    assert started["server"] < started["worker"]
    assert times["worker"][1] < times["server"][1]


def wait_for_text(path: Path) -> None:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline and not (path.exists() and path.read_text()):
        time.sleep(0.05)


def test_a_step_runs_once_and_lets_the_next_component_start(stack):
    stack.start(
        "(Component(name='step', launch=run('print(1)'), once=True),"
        " Component(name='worker', launch=run(SLEEPER), needs=('step',)))"
    )
    current = stack.wait(healthy("worker"))
    assert current.components["step"].state == "done"
    assert current.components["step"].pid is None


def test_a_step_that_fails_is_given_up_and_nothing_that_needs_it_starts(stack):
    stack.start(
        "(Component(name='step', launch=run('raise SystemExit(3)'), once=True),"
        " Component(name='worker', launch=run(SLEEPER), needs=('step',)))"
    )
    current = stack.wait(lambda s: s.components["step"].state == "failed")
    assert "exit code 3" in current.components["step"].last_error
    assert current.components["worker"].pid is None


def test_a_launch_that_raises_is_shown_and_tried_again(stack):
    stack.start("(Component(name='server', launch=lambda: [].pop()),)")
    current = stack.wait(lambda s: s.components["server"].restarts > 1)
    assert current.components["server"].last_error == "IndexError: pop from empty list"


def test_no_process_is_left_after_the_order_to_stop(stack):
    stack.start("(Component(name='a', launch=run(SLEEPER)), Component(name='b', launch=run(SLEEPER), needs=('a',)))")
    current = stack.wait(healthy("a", "b"))
    stack.end()
    assert not any(identity(current, name).alive() for name in "ab")
    assert {status.state for status in state.read(stack.home).components.values()} == {"stopped"}


def test_a_component_that_ignores_the_order_is_killed(stack):
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    stack.start(f"(Component(name='server', launch=run({stubborn!r}), stop_wait_s=0.5),)")
    current = stack.wait(healthy("server"))
    wait_for_text(stack.home / "logs" / "server.log")
    stack.end()
    assert not identity(current, "server").alive()


def test_components_do_not_outlive_a_supervisor_that_is_killed(stack):
    stack.start("(Component(name='server', launch=run(SLEEPER)),)")
    server = identity(stack.wait(healthy("server")), "server")
    stack.end(signal.SIGKILL)
    psutil.wait_procs([psutil.Process(server.pid)] if server.alive() else [], timeout=WAIT_S)
    assert not server.alive()


@pytest.mark.slow
@pytest.mark.chaos
def test_what_outlived_a_supervisor_is_stopped_by_the_next(stack):
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    stack.start(f"(Component(name='server', launch=run({deaf!r})),)")
    server = identity(stack.wait(healthy("server")), "server")
    wait_for_text(stack.home / "logs" / "server.log")
    stack.end(signal.SIGKILL)
    assert server.alive()
    stack.start("(Component(name='server', launch=run(SLEEPER)),)")
    stack.wait(healthy("server"))
    assert not server.alive()


def test_a_second_supervisor_in_the_same_folder_is_refused(stack):
    stack.start("(Component(name='server', launch=run(SLEEPER)),)")
    stack.wait(healthy("server"))
    second = subprocess.run(
        [sys.executable, "-c", f"from pathlib import Path; from stack import supervisor\n"
         f"supervisor.run(lambda: (), Path({str(stack.home)!r}))"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "already running" in second.stderr


def test_a_server_of_somebody_else_is_checked_and_never_started(stack):
    port_file = stack.home / "there"
    check = f"async def check(): Path({str(port_file)!r}).read_text()"
    stack.start(f"[exec({check!r}, globals()), (Component(name='server', launch=None, check=check),)][1]")
    current = stack.wait(lambda s: s.components["server"].state == "failed")
    assert current.components["server"].external
    assert "FileNotFoundError" in current.components["server"].last_error
    port_file.write_text("here")
    assert stack.wait(healthy("server")).components["server"].pid is None


@pytest.mark.slow
def test_a_component_that_keeps_crashing_is_looping_also_while_it_runs(stack):
    stack.start("(Component(name='server', launch=run('import time; time.sleep(0.3); raise ValueError(7)')),)")
    current = stack.wait(lambda s: s.components["server"].state == "looping")
    status = current.components["server"]
    assert len(status.restarted_at) == status.restarts == 3
    assert "3 restarts in the last 10 minutes" in status.why
    assert "ValueError: 7" in status.last_error
    assert not status.good()
    seen = {stack.wait(lambda s: s.components["server"].restarts > 3).components["server"].state for _ in range(20)}
    assert seen == {"looping"}


def test_a_process_is_told_when_it_was_started_again(stack):
    reporter = stack.home / "told"
    code = f"import os, time; open({str(reporter)!r}, 'w').write(os.environ['FORETICK_RESTARTED_AT']); time.sleep(600)"
    stack.start(f"(Component(name='server', launch=run({code!r})),)")
    wait_for_text(reporter)
    assert reporter.read_text() == "[]"
    reporter.unlink()
    os.kill(identity(stack.wait(healthy("server")), "server").pid, signal.SIGKILL)
    wait_for_text(reporter)
    current = stack.wait(lambda s: s.components["server"].restarts == 1)
    assert json.loads(reporter.read_text()) == current.components["server"].restarted_at


WAITS = """
from observability.condition import Condition
async def check():
    said = Path({said!r}).read_text()
    if said == 'silent': raise OSError('no answer')
    word, why, since, *works = eval(said)
    return Condition(word=word, why=why, since=since, works=bool(works))
"""


@pytest.mark.slow
def test_a_waiting_component_is_not_restarted_and_holds_up_those_that_need_it(stack):
    output = stack.home / "said"
    output.write_text("('waiting', 'the lock', 5.0)")
    check = WAITS.format(said=str(output))
    server = "Component(name='server', launch=run(SLEEPER), check=check, start_wait_s=0.1)"
    table = f"({server}, Component(name='w', launch=run(SLEEPER), needs=('server',)))"
    stack.start(f"[exec({check!r}, globals()), {table}][1]")
    current = stack.wait(lambda s: s.components["server"].state == "waiting")
    first = identity(current, "server")
    assert (current.components["server"].why, current.components["server"].since) == ("the lock", 5.0)
    assert not current.components["server"].good()
    time.sleep(1.0)  # ten times as long as a process that does not answer is given
    assert state.read(stack.home).components["w"].pid is None
    output.write_text("('healthy', '', None, True)")
    current = stack.wait(healthy("server", "w"))
    assert identity(current, "server") == first
    output.write_text("silent")
    current = stack.wait(lambda s: s.components["server"].state == "unknown")
    assert current.components["server"].why == "OSError: no answer"
    output.write_text("('lagging', '9 behind', 5.0, True)")
    current = stack.wait(lambda s: s.components["server"].state == "lagging")
    assert current.components["server"].good()


SOON = "from stack import component_watch as w\nw.CHECK_S, w.CHECK_TIMEOUT_S, w.UNHEALTHY_S = 0.1, 0.4, 3.0\n"


@pytest.mark.slow
def test_a_silent_component_is_restarted_but_time_paused_does_not_count(stack):
    output = stack.home / "said"
    output.write_text("('healthy', '', None, True)")
    check = SOON + WAITS.format(said=str(output))
    stack.start(f"[exec({check!r}, globals()), (Component(name='server', launch=run(SLEEPER), check=check),)][1]")
    first = identity(stack.wait(healthy("server")), "server")
    stack.process.send_signal(signal.SIGSTOP)
    output.write_text("silent")
    time.sleep(4.0)  # longer than a process may be silent
    stack.process.send_signal(signal.SIGCONT)
    current = stack.wait(lambda s: s.components["server"].state == "unknown")
    output.write_text("('lagging', '9 behind', 5.0, True)")
    current = stack.wait(lambda s: s.components["server"].state == "lagging")
    assert identity(current, "server") == first
    output.write_text("silent")
    current = stack.wait(lambda s: s.components["server"].restarts == 1)
    assert current.components["server"].last_error == "TimeoutError: for 3 s unknown: OSError: no answer"
    stack.wait(lambda _: not first.alive())  # what is to be started again is told before the process has ended

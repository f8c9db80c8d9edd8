"""The commands over a real supervisor that runs the real Redis, which starts at once."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import stack as commands
from cli.errors import UserError
from settings import Settings
from stack import background, state
from stack.addresses import HOST
from stack.basic_auth import DASHBOARD_PASSWORD, USER
from stack.process import Identity
from stack.progress import Progress
from stack.secret import password
from stack.servers import plan

pytestmark = pytest.mark.services


def run(*words: str) -> Result:
    app = typer.Typer()
    for command in (commands.up, commands.down, commands.status, commands.doctor, commands.logs):
        app.command()(command)
    return CliRunner().invoke(app, words)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Iterator[Path]:
    """A home in which the supervisor runs Redis, and nothing from outside is used."""
    for name in ("KAFKA", "DATABASE_URL", "REDIS_URL", "MLFLOW_URI", "DASHBOARD_PORT"):
        monkeypatch.delenv(f"FORETICK_{name}", raising=False)
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    supervisor = background.start(tmp_path, ("redis",), Progress())
    yield tmp_path
    background.stop(tmp_path, Progress())
    supervisor.wait()


def test_a_second_up_says_that_it_runs_and_where_the_dashboard_is(home):
    before = state.read(home)
    result = run("up")
    assert result.exit_code == 0
    assert f"already running: http://{HOST}:" in result.output
    assert state.read(home).supervisor == before.supervisor


def test_a_second_up_says_what_was_given_up(tmp_path, monkeypatch):
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    us = Identity.of(os.getpid())
    assert us is not None
    state.write(tmp_path, state.StackState(us, {"kafka": state.Status(state="failed", last_error="its disk is full")}))
    result = run("up")
    assert result.exit_code == 1
    assert "kafka failed: its disk is full; to try again: foretick down, then foretick up" in result.output


def test_status_gives_components_counts_lag_and_addresses_without_a_password(home):
    result = run("status", "--json")
    match = json.loads(result.stdout)
    assert result.exit_code == 1  # since the others do not run
    assert match["components"]["redis"]["state"] == "healthy"
    assert match["components"]["redis"]["pid"] == state.read(home).components["redis"].pid
    assert match["components"]["redis"]["uptime"] >= 0
    assert set(match["addresses"]) == {"kafka", "database", "redis", "mlflow", "dashboard", "api"}
    assert match["metrics"]["worker"].startswith("http://127.0.0.1:")
    assert set(match["counts"].values()) == set(match["lag"].values()) == {None}
    for secret in home.glob("*.password"):
        assert secret.read_text() not in json.dumps(match)


def test_status_says_where_the_dashboards_password_is_and_not_what_it_is(home):
    assert json.loads(run("status", "--json").stdout)["dashboard_login"] is None
    assert "from elsewhere" not in run("status").output
    secret = password(home / DASHBOARD_PASSWORD)
    result = run("status")
    assert result.exit_code == 1  # the others do not run, with or without a password
    words = " ".join(result.output.split())
    assert f"from elsewhere: user {USER}, the password is in" in words
    assert str(home / DASHBOARD_PASSWORD) in "".join(result.output.split())
    match = json.loads(run("status", "--json").stdout)
    assert match["dashboard_login"] == str(home / DASHBOARD_PASSWORD)
    assert secret not in result.output + json.dumps(match)


def test_down_leaves_no_process_and_can_be_said_twice(home):
    redis = state.read(home).components["redis"].identity()
    assert run("down").exit_code == 0
    assert not redis.alive()
    again = run("down")
    assert (again.exit_code, again.output) == (0, "not running\n")


def test_a_server_that_is_killed_comes_back(home):
    first = state.read(home).components["redis"].identity()
    os.kill(first.pid, signal.SIGKILL)
    assert wait_for_restart(home) != first


def wait_for_restart(home: Path) -> Identity | None:
    for _ in range(600):
        redis = state.read(home).components["redis"]
        if redis.restarts and redis.state == "healthy":
            return redis.identity()
        time.sleep(0.05)
    pytest.fail(str(redis))


@pytest.mark.usefixtures("home")
def test_logs_prints_the_last_lines_of_one_component():
    result = run("logs", "redis", "-n", "1")
    assert result.exit_code == 0
    assert "Ready to accept connections" in result.output
    assert isinstance(run("logs", "nothing").exception, UserError)


@pytest.mark.usefixtures("home")
def test_the_doctor_says_of_each_server_whether_it_answers():
    checks = {check["name"]: check for check in json.loads(run("doctor", "--json").stdout)}
    assert checks["redis"]["status"] == "ok"
    assert checks["kafka"]["status"] == "fail"
    assert checks["kafka"]["advice"]
    assert checks["mlflow"]["advice"] == "./foretick logs mlflow"


def test_the_same_ports_are_used_again(home):
    before = (home / "addresses.json").read_text()
    run("down")
    plan(Settings())
    assert (home / "addresses.json").read_text() == before


@pytest.mark.parametrize(("given", "threads"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")])
def test_a_command_gives_openblas_one_thread_unless_told_otherwise(given: dict[str, str], threads: str) -> None:
    code = "import os, cli.main as m; m.app = lambda: print(os.environ['OPENBLAS_NUM_THREADS']); m.run()"
    clean = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", code], env=clean | given, capture_output=True, text=True, check=True)
    assert done.stdout == f"{threads}\n"


def test_numpy_is_not_loaded_before_its_threads_are_set() -> None:
    code = "import sys, cli.main; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

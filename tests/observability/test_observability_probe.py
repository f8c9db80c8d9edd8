"""A component shows its metrics and how it is, and writes its log as it is told."""

import asyncio
import io
import json
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import get_args

import pytest
from probing import answer, scraped
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from observability import logs
from observability.condition import HEALTHY, Condition, Word
from observability.lag import NOTHING, UNKNOWN, ConsumerLag
from observability.probe import Probe, asked
from observability.work_status import LoopTurns, WorkStatus
from settings import ROOT, Settings

pytestmark = pytest.mark.slow


@pytest.fixture
def own() -> WorkStatus:
    """What a process has written down of itself."""
    return WorkStatus()


@pytest.fixture
def port(own: WorkStatus) -> Iterator[int]:
    """The port of its probe."""
    probe = Probe("tried", own.condition)
    result = probe.start(Settings(metrics_port=0))
    assert result is not None
    yield result
    probe.stop()


def test_metrics_are_text_that_prometheus_reads(port: int):
    status, text = answer(port, "/metrics")
    assert status == 200
    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"foretick_component", "process_resident_memory_bytes", "process_cpu_seconds"} <= names
    assert REGISTRY.get_sample_value("foretick_component", {"component": "tried"}) == 1


def conditions(port: int) -> dict[str, float]:
    """Return what Prometheus is told of each word."""
    results = scraped(port).items()
    return {dict(labels)["condition"]: value for (name, labels), value in results if name == "foretick_condition"}


def test_http_and_metrics_report_the_same_condition(own: WorkStatus, port: int):
    assert answer(port, "/ready") == answer(port, "/health") == (200, "healthy\n")
    assert asked(port) == HEALTHY
    own.wait("Kafka")
    assert answer(port, "/ready") == (503, "waiting: Kafka\n")
    assert answer(port, "/health") == (200, "waiting: Kafka\n")  # to be started again would not help
    assert asked(port) == own.condition()
    assert conditions(port) == dict.fromkeys(get_args(Word), 0.0) | {"waiting": 1.0}
    own.hangs = lambda: "it hangs"
    assert answer(port, "/ready") == answer(port, "/health") == (503, "stuck: it hangs\n")
    assert conditions(port)["stuck"] == 1.0
    assert answer(port, "/else")[0] == 404


@pytest.mark.parametrize(
    ("behind", "shown"),
    [(None, None), (UNKNOWN, None), (ConsumerLag(3, None, 7_300.0), 7_300.0), (NOTHING, 0.0)],
)
def test_the_lag_in_event_time_is_a_metric_where_it_is_known(behind: ConsumerLag | None, shown: float | None):
    probe = Probe("late", lambda: Condition(word="lagging", behind=behind))
    port = probe.start(Settings(metrics_port=0))
    assert port is not None
    assert scraped(port).get(("foretick_consumer_lag_seconds", (("component", "late"),))) == shown
    probe.stop()


def test_a_process_says_itself_that_it_was_started_again_and_again():
    now = time.time()
    own = WorkStatus(Settings(restarted_at=(now - 3, now - 2, now - 1)))
    assert own.condition().text() == "looping: 3 restarts in the last 10 minutes; now healthy"


def test_a_component_that_does_not_answer_is_unknown():
    silent = socket.create_server(("127.0.0.1", 0))
    with silent:
        port = silent.getsockname()[1]
        assert asked(port, 0.2) == Condition(word="unknown", why=f"no answer within 0.2 s at 127.0.0.1:{port}")
    assert asked(port).word == "unknown"


def test_a_container_asks_its_own_component(own: WorkStatus, port: int):
    command = [sys.executable, "-m", "observability.probe"]
    environment = {**os.environ, "FORETICK_METRICS_PORT": str(port), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "healthy\n")
    own.wait("Kafka")
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("waiting: Kafka (since ")


def test_without_a_port_nothing_is_shown():
    assert Probe("silent").start(Settings(metrics_port=None)) is None


@pytest.mark.parametrize("broken", [False, True])
def test_a_closed_connection_is_ignored_and_an_error_of_the_probe_is_one_log_record(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, broken: bool
):
    begun, gone, threads = threading.Event(), threading.Event(), threading.active_count()

    def ask() -> Condition:
        begun.set()
        assert gone.wait(30)
        if broken:
            raise ZeroDivisionError
        return HEALTHY

    probe = Probe("asked", ask)
    port = probe.start(Settings(metrics_port=0))
    assert port is not None
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closed by a reset
        connection.sendall(b"GET /condition HTTP/1.0\r\n\r\n")
        assert begun.wait(30)
    gone.set()
    assert wait_until(lambda: threading.active_count() == threads + 1)  # the server's; the question's has ended
    probe.stop()
    assert capfd.readouterr() == ("", "")
    assert [record.exc_info is not None for record in caplog.records if record.levelname == "ERROR"] == [True] * broken


def test_an_event_loop_that_hangs_is_not_well():
    loop = asyncio.new_event_loop()
    turns = LoopTurns(loop, wait_s=0.2)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    assert (turns(), turns.busy()) == (None, False)
    hangs = threading.Event()
    loop.call_soon_threadsafe(hangs.wait)
    assert turns.busy()
    assert str(turns()).startswith("the event loop has not answered for 0.")
    patient = LoopTurns(loop)
    assert (patient.busy(), patient()) == (True, None)  # it computes
    hangs.set()
    assert wait_until(lambda: not turns.busy())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    assert turns() == "the event loop is closed"


def wait_until(true: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Wait until something is so; tell whether it was in time."""
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What a logger of our own writes as JSON."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.json_lines("worker"))
    logger = logging.getLogger("foretick.tried")
    logger.addHandler(handler)
    logger.propagate = False
    yield written
    logger.removeHandler(handler)
    logger.propagate = True


def test_a_line_of_json_holds_what_is_known(stream: io.StringIO):
    logging.getLogger("foretick.tried").warning("%d rows skipped", 3, extra={"topic": "bars", "symbol": "BTCUSDT"})
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "3 rows skipped",
        "level": "warning",
        "logger": "foretick.tried",
        "component": "worker",
        "topic": "bars",
        "symbol": "BTCUSDT",
    }


def test_an_exception_is_in_its_line(stream: io.StringIO):
    try:
        raise ValueError("no such thing")
    except ValueError:
        logging.getLogger("foretick.tried").exception("it failed")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: no such thing" in json.loads(line)["exception"]


def test_what_ends_a_process_and_what_python_warns_of_are_lines_as_all_others():
    code = """
import warnings
from settings import ROOT, Settings
from observability import logs
logs.configure("tried", Settings(log_format="json"))
warnings.warn("an old way")
raise ValueError("no such thing")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    warned, ended = (json.loads(line) for line in done.stderr.splitlines())
    assert "an old way" in warned["event"]
    assert (ended["level"], ended["component"]) == ("critical", "tried")
    assert "ValueError: no such thing" in ended["exception"]

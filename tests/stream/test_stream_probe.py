"""A component shows its metrics and how it is, and writes its log as it is told."""

import asyncio
import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from probing import answer
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from settings import ROOT, Settings
from stream import logs
from stream.probe import Probe, loop_turns


@pytest.fixture
def wrong() -> list[str]:
    """What is not well."""
    return []


@pytest.fixture
def port(wrong: list[str]) -> Iterator[int]:
    """The port of a probe that is ready where nothing is wrong."""
    probe = Probe("tried", ready=lambda: wrong[0] if wrong else None)
    found = probe.start(Settings(metrics_port=0))
    assert found is not None
    yield found
    probe.stop()


def test_metrics_are_text_that_prometheus_reads(port: int):
    status, text = answer(port, "/metrics")
    assert status == 200
    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"foretick_component", "process_resident_memory_bytes", "process_cpu_seconds"} <= names
    assert REGISTRY.get_sample_value("foretick_component", {"component": "tried"}) == 1


def test_alive_is_not_ready(port: int, wrong: list[str]):
    assert answer(port, "/ready") == (200, "ok\n")
    wrong.append("Kafka does not answer")
    assert answer(port, "/ready") == (503, "Kafka does not answer\n")
    assert answer(port, "/health") == (200, "ok\n")
    assert answer(port, "/else")[0] == 404


def test_without_a_port_nothing_is_shown():
    assert Probe("silent").start(Settings(metrics_port=None)) is None


def test_an_event_loop_that_hangs_is_not_well():
    loop = asyncio.new_event_loop()
    check = loop_turns(loop, wait_s=0.2)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    assert check() is None
    hangs = threading.Event()
    loop.call_soon_threadsafe(hangs.wait)
    assert check() == "the event loop has not answered for 0.2 s"
    hangs.set()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    assert check() == "the event loop is closed"


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
from stream import logs
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

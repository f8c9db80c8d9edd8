"""Asks a running component for its metrics and how it is."""

import re
import time
import urllib.error
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scraped(port: int) -> Samples:
    """Return what a component shows at /metrics, by name and labels."""
    _, text = answer(port, "/metrics")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(samples: Samples, name: str, **labels: str) -> float:
    """Return the value of one of our series, 0 if it is not there."""
    return samples.get((f"foretick_{name}", tuple(sorted(labels.items()))), 0.0)


def answer(port: int, path: str) -> tuple[int, str]:
    """Return status and text."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def wait_for(port: int, text: str, seconds: float = 60.0) -> None:
    """Wait until /ready says that; fail with what it says instead."""
    deadline = time.monotonic() + seconds
    while text not in (match := answer(port, "/ready")[1]):
        assert time.monotonic() < deadline, f"/ready says {match!r}, not {text!r}"
        time.sleep(0.2)


def port_in(log: Path, seconds: float = 60.0) -> int:
    """Return the port that a process whose port was left to it wrote into its log."""
    deadline = time.monotonic() + seconds
    while not (results := re.findall(r"metrics on http://127.0.0.1:(\d+)/metrics", log.read_text())):
        assert time.monotonic() < deadline, log.read_text()[-2_000:]
        time.sleep(0.2)
    return int(results[-1])

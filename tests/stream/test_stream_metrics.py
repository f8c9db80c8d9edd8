"""A running stack counts what goes through it, and each component shows it at a port of its own."""

import json
import time
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from stacks import running
from stream_runs import COMPONENTS, Run

from settings import ADDRESSES
from stack.monitoring import metrics
from topics.records import Bar

pytestmark = [pytest.mark.services, pytest.mark.slow]

MINUTES, SERIES = 300, 12
TOLD = {
    "FORETICK_LOG_FORMAT": "json",
    "FORETICK_RETRAIN_CRON": "0 0 29 2 *",  # the models are those of other tests too
    "FORETICK_RETRAIN_ON_DRIFT": "false",
}
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scraped(port: int) -> Samples:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as reply:
        text = reply.read().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def answer(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as reply:
        return str(reply.read().decode())


def test_a_running_stack_counts_what_goes_through_it(trained: Path, bars: dict[str, list[Bar]]):
    with running((*COMPONENTS, "deploy", "watch", "trainer", "dashboard", "api"), trained, TOLD) as servers:
        run = Run(servers)
        run.send([rows[start : start + 100] for start in range(0, MINUTES, 100) for rows in bars.values()])
        sent = sum(len(rows[:MINUTES]) for rows in bars.values())
        run.wait(sent * SERIES)
        ports = json.loads((servers.home / ADDRESSES).read_text())["metrics_ports"]
        worker, persist, api = (scraped(ports[name]) for name in ("worker", "persist", "api"))

        def of(samples: Samples, name: str, **labels: str) -> float:
            return samples.get((f"foretick_{name}", tuple(sorted(labels.items()))), 0.0)

        assert of(worker, "records_in_total", topic="bars") == sent
        assert of(worker, "records_out_total", topic="features") == sent == run.rows("features")
        assert of(worker, "records_out_total", topic="predictions") * 4 == run.rows("predictions")
        assert of(worker, "records_out_total", topic="outcomes") == run.rows("outcomes")
        assert of(persist, "records_in_total", topic="predictions") * 4 == run.rows("predictions")
        assert of(persist, "dead_letters_total", topic="predictions") == 0
        for stage in ("features", "predictions", "outcomes"):
            assert of(worker, "fold_seconds_count", stage=stage) > 0
        assert of(worker, "latency_seconds_count", stage="predictions") > 0
        assert of(worker, "latency_seconds_sum", stage="predictions") > 0
        assert of(persist, "store_seconds_count", topic="outcomes") > 0
        assert of(worker, "consumer_lag", topic="bars") == of(persist, "consumer_lag", topic="outcomes") == 0
        assert of(api, "scored_outcomes", interval="1m", model="naive", horizon="1") > 0
        assert of(api, "skill", interval="1m", model="naive", horizon="1") == 0
        seen = {name for samples in (worker, persist, api) for name, _ in samples}
        # What is only there once somebody has asked: the tests of the API do.
        assert {name for name in metrics() if not name.startswith("foretick_api_")} <= seen
        for name, port in ports.items():
            assert of(scraped(port), "component", component=name) == 1, name
            assert answer(port, "/health") == "ok\n", name
            deadline = time.monotonic() + 60
            while answer_or(port) != "ok\n" and time.monotonic() < deadline:
                time.sleep(0.2)
            assert answer(port, "/ready") == "ok\n", name
        lines = (servers.home / "logs" / "worker.log").read_text().splitlines()
        written = [json.loads(line) for line in lines if line.startswith("{")]
        assert {line["component"] for line in written} == {"worker"}


def answer_or(port: int) -> str:
    try:
        return answer(port, "/ready")
    except OSError:
        return ""

"""A running stack counts what goes through it, and each component shows it at a port of its own."""

import json
import time
from pathlib import Path

import pytest
from probing import answer, of, scraped, wait_for
from stacks import running
from stream_runs import COMPONENTS, Run

from observability.lag import NOTHING
from observability.probe import asked
from settings import ADDRESSES, Settings
from stack.conditions import ComponentSummary, shown
from stack.monitoring import metrics
from topics.records import Bar

pytestmark = [pytest.mark.services, pytest.mark.slow]

MINUTES, SERIES = 300, 12
ASKED_FOR_ELSEWHERE = ("foretick_api_", "foretick_alert", "foretick_live_")
LOGGING = ("prepare", "train", "deploy", "worker", "persist", "watch", "trainer", "alerts", "dashboard", "api")
TOLD = {
    "FORETICK_LOG_FORMAT": "json",
    "FORETICK_RETRAIN_CRON": "0 0 29 2 *",  # the models are those of other tests too
    "FORETICK_RETRAIN_ON_DRIFT": "false",
}


def test_a_running_stack_counts_what_goes_through_it(trained: Path, bars: dict[str, list[Bar]]):
    with running((*COMPONENTS, "deploy", "watch", "trainer", "alerts", "dashboard", "api"), trained, TOLD) as servers:
        run = Run(servers)
        run.send([rows[start : start + 100] for start in range(0, MINUTES, 100) for rows in bars.values()])
        sent = sum(len(rows[:MINUTES]) for rows in bars.values())
        run.wait(sent * SERIES)
        ports = json.loads((servers.home / ADDRESSES).read_text())["metrics_ports"]
        worker, persist, api = (scraped(ports[name]) for name in ("worker", "persist", "api"))

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
        assert of(api, "pinball_skill", interval="1m", model="naive", horizon="1") == 0
        seen = {name for samples in (worker, persist, api) for name, _ in samples}
        # Those of the API, of alerts and of venues are there once there is one: their own tests ask for them.
        assert {name for name in metrics() if not name.startswith(ASKED_FOR_ELSEWHERE)} <= seen
        for name, port in ports.items():
            assert of(scraped(port), "component", component=name) == 1, name
            assert answer(port, "/health")[0] == 200, name
            wait_for(port, "the next run" if name == "trainer" else "healthy")
        for name in ("worker", "persist"):
            goes_down_and_comes_back(run, name, ports[name])
        for name in LOGGING:
            assert components_in(servers.home / "logs" / f"{name}.log") <= {name}, name
        assert components_in(servers.home / "logs" / "worker.log") == {"worker"}


def goes_down_and_comes_back(run: Run, name: str, port: int) -> None:
    """Kill a component: it is not called healthy from the next moment on, until it reads its partitions again."""
    settings = Settings(home=run.servers.home)
    assert found(settings, name).good
    run.kill(name)
    assert not found(settings, name).good
    deadline = time.monotonic() + 120
    while asked(port).word == "unknown":
        assert time.monotonic() < deadline, f"{name} does not answer"
        assert found(settings, name).word != "healthy" or asked(port).word == "healthy"
        time.sleep(0.2)
    wait_for(port, "healthy", 120)
    assert asked(port).behind == NOTHING


def found(settings: Settings, name: str) -> ComponentSummary:
    """Return what is shown of a component."""
    return next(one for one in shown(settings) if one.name == name)


def components_in(log: Path) -> set[str]:
    """Return who says to have written the lines of a log; each is JSON but the one that tells where a page is."""
    lines = [line for line in log.read_text().splitlines() if line and " on http://" not in line.partition("{")[0]]
    return {json.loads(line)["component"] for line in lines}

"""The alerts worker shows what it counts, what keeps it from its work, and writes its log as it is told."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alert_runs import TAKES_EFFECT_S, Alerts, matches
from probing import answer, of, port_in, scraped, wait_for
from receiver import Receiver
from stacks import environment_of

from settings import ADDRESSES, ROOT
from stack import state
from stack.monitoring import metrics

pytestmark = [pytest.mark.services, pytest.mark.slow]


def port_of(alerts: Alerts) -> int:
    return int(json.loads((alerts.servers.home / ADDRESSES).read_text())["metrics_ports"]["alerts"])


def test_records_alerts_and_deliveries_are_counted_once(alerts: Alerts) -> None:
    port = port_of(alerts)
    with Receiver().listening() as receiver:
        alerts.add("counted", symbols=("COUNTED*",), severity="critical")
        alerts.subscribe("counted-hook", receiver.url, rules=("counted",))
        time.sleep(TAKES_EFFECT_S)
        wait_for(port, "healthy\n")
        before = scraped(port)
        receiver.answers = [503, 400]
        alerts.send(matches(2, 20, "COUNTED"))
        alerts.wait(
            lambda: alerts.deliveries("counted-hook")["delivered"] == 40, lambda: alerts.deliveries("counted-hook")
        )
    after = scraped(port)

    def more(name: str, **labels: str) -> float:
        return of(after, name, **labels) - of(before, name, **labels)

    assert more("alert_records_total", kind="prediction") == 40
    assert of(after, "alerts_made_total", rule="counted", severity="critical") == 40
    assert more("alert_messages_total", channel="webhook", result="delivered") == 40
    assert more("alert_messages_total", channel="webhook", result="failed") == 1
    assert more("alert_messages_total", channel="webhook", result="refused") == 1
    assert more("alert_deliveries_total", channel="webhook", result="delivered") == 40
    assert more("alert_delivery_seconds_count", channel="webhook") == 40
    assert more("alert_delivery_seconds_sum", channel="webhook") > 0
    assert of(after, "component", component="alerts") == 1
    assert {name for name in metrics() if name.startswith("foretick_alert")} <= {name for name, _ in after}
    alerts.wait(lambda: of(scraped(port), "consumer_lag", topic="predictions") == 0, lambda: scraped(port))


@pytest.mark.long
def test_what_waits_is_shown_by_subscriber_until_it_is_delivered_or_given_up(alerts: Alerts) -> None:
    port, who = port_of(alerts), {"subscriber": "patient", "channel": "webhook"}
    with Receiver().listening() as before:
        closed = before.port
    alerts.subscribe("patient", f"http://127.0.0.1:{closed}/hook", symbols=("PATIENT*",))
    alerts.add("patient", symbols=("PATIENT*",))
    time.sleep(TAKES_EFFECT_S)
    alerts.send(matches(1, 30, "PATIENT"))
    alerts.wait(lambda: of(scraped(port), "alert_deliveries_waiting", **who) == 30, lambda: scraped(port))
    alerts.wait(lambda: of(scraped(port), "alert_oldest_waiting_seconds", **who) > 1, lambda: scraped(port))
    given_up = of(scraped(port), "alert_deliveries_total", channel="webhook", result="given up")
    alerts.query(
        "UPDATE alert_deliveries SET made_at = now() - interval '4 days' WHERE subscriber = 'patient' RETURNING number"
    )
    alerts.wait(lambda: alerts.deliveries("patient")["failed"] == 30, lambda: alerts.deliveries("patient"))
    alerts.wait(lambda: of(scraped(port), "alert_deliveries_waiting", **who) == 0, lambda: scraped(port))
    assert of(scraped(port), "alert_deliveries_total", channel="webhook", result="given up") == given_up + 30


@pytest.mark.chaos
def test_ready_says_that_kafka_is_away_and_lag_that_it_was_not_read(alerts: Alerts) -> None:
    port = port_of(alerts)
    wait_for(port, "healthy\n")
    current = state.read(alerts.servers.home)
    assert current is not None
    kafka = current.components["kafka"].pid
    assert kafka is not None
    os.kill(kafka, signal.SIGSTOP)
    try:
        wait_for(port, "waiting: Kafka")
        assert answer(port, "/ready")[0] == 503
        assert answer(port, "/health")[0] == 200
    finally:
        os.kill(kafka, signal.SIGCONT)
    wait_for(port, "healthy\n", 120)


@contextmanager
def another(alerts: Alerts, log: Path, **fields: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker beside the one of the stack."""
    environment = environment_of(alerts.servers.home) | {"FORETICK_LOG_FORMAT": "json", "FORETICK_METRICS_PORT": "0"}
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "alerts.worker"], cwd=ROOT, env=environment | fields, stdout=file, stderr=file
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def test_a_second_worker_says_that_it_stands_by_and_each_line_of_its_log_is_json(
    alerts: Alerts, tmp_path: Path
) -> None:
    log = tmp_path / "alerts.log"
    with another(alerts, log) as process:
        port = port_in(log)
        wait_for(port, "waiting: another alerts worker works; this one is on standby\n")
        assert answer(port, "/health")[0] == 200
    assert process.returncode == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {(line["component"], line["level"]) for line in lines} == {("alerts", "info")}


def test_a_database_that_is_not_there_is_one_line_of_json(alerts: Alerts, tmp_path: Path) -> None:
    log = tmp_path / "alerts.log"
    with another(alerts, log, FORETICK_DATABASE_URL="postgresql://foretick:hidden@127.0.0.1:1/x") as process:
        assert process.wait(180) == 1
    last = json.loads(log.read_text().splitlines()[-1])
    assert (last["level"], last["component"]) == ("critical", "alerts")
    assert last["event"].startswith("the database: ")
    assert "hidden" not in log.read_text()

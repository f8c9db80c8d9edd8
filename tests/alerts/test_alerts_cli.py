"""`foretick alerts` and its lines, on a running stack."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from alert_records import outcome, prediction, regime
from alert_runs import Alerts
from receiver import Receiver
from stacks import environment_of

from alerts.signature import verify
from settings import ROOT
from stream.outbox import Outbox
from topics.catalog import MODEL_EVENTS, OUTCOMES, REGIMES
from topics.records import ModelEvent

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]

Command = Callable[..., "subprocess.CompletedProcess[str]"]
ADD = ("add", "--on", "prediction", "--when", "mean above 10bp")


@pytest.fixture
def foretick(alerts: Alerts) -> Command:
    """Return what runs `foretick alerts ...`."""

    def run(*arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
        environment = environment_of(alerts.servers.home) | {"FORETICK_ALERTS_ALLOW_PRIVATE": "true", "COLUMNS": "200"}
        command = [sys.executable, "-m", "cli.main", "alerts", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, input=typed, check=False
        )

    return run


def document(done: "subprocess.CompletedProcess[str]") -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("add", "x", "--on", "weather", "--when", "any"), "on 'weather': a rule is about one of prediction, outcome"),
        ((*ADD, "x", "--horizon", "7"), "horizon 7 is not served; 1, 5, 15, 60 bars are"),
        (
            (*ADD, "x", "--cooldown", "soon"),
            "--cooldown: interval 'soon' is not a whole number followed by s, m, h or d",
        ),
        ((*ADD, "x", "--severity", "loud"), "severity 'loud' is none of info, warning, critical"),
        ((*ADD, "x", "--quiet", "22-07"), "'22-07' are no quiet hours"),
        (("rm", "nobody"), "there is no rule nobody: foretick alerts list"),
        (("test",), "which rule, or --send to which subscriber"),
        (("test", "nobody"), "there is no rule nobody"),
        (("test", "--send", "nobody"), "there is no subscriber nobody"),
        (("subscribe", "x"), "one way to a subscriber"),
        (("subscribe", "x", "--webhook", "ftp://h/secret"), "must begin with https://"),
        (("subscribe", "x", "--webhook", "https://nowhere.invalid/secret"), "the host nowhere.invalid has no address"),
        (("subscribe", "x", "--apprise", "nothing://secret"), "apprise cannot read that address"),
        (("unsubscribe", "nobody"), "there is no subscriber nobody"),
        (("ack", "nothing"), "there is no alert nothing"),
        (("mute", "--for", "1h"), "mute what?"),
        (("mute", "--rule", "x"), "mute until when?"),
        (("mute", "--rule", "x", "--for", "long"), "--for: interval 'long'"),
    ],
)
def test_a_mistake_gets_one_line(foretick: Command, arguments: tuple[str, ...], line: str) -> None:
    done = foretick(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"foretick: {line}") or line in done.stderr
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_a_rule_from_its_first_words_to_its_end(foretick: Command, alerts: Alerts) -> None:
    with Receiver().listening() as receiver:
        added = document(foretick(*ADD, "cli", "--symbol", "CLI*", "--horizon", "15", "--cooldown", "30m", "--json"))
        assert (added["rule"], added["version"]) == ("cli", 1)
        assert foretick(*ADD, "cli").stderr == (
            "foretick: there is a rule cli already: --replace puts this one in its place\n"
        )
        subscribed = foretick("subscribe", "cli-hook", "--webhook", "-", "--rule", "cli", "--json", typed=receiver.url)
        key = document(subscribed)["key"]
        assert "secret-path" not in subscribed.stdout
        again = document(foretick("subscribe", "cli-hook", "--webhook", receiver.url, "--rule", "cli", "--json"))
        assert again["key"] == key  # the address is the same
        assert document(foretick("test", "--send", "cli-hook", "--json")) == {"sent": "cli-hook"}
        ((headers, body),) = receiver.requests
        assert json.loads(body)["type"] == "test"
        verify(key, headers, body, float(headers["webhook-timestamp"]))
        alerts.send([prediction(minute, symbol="CLI") for minute in range(60)])
        alerts.wait(lambda: len(receiver.requests) == 3, receiver.alert_ids)
        stored = "SELECT count(*) FROM predictions WHERE symbol = 'CLI'"
        alerts.wait(lambda: alerts.query(stored) == [(60,)], lambda: alerts.query(stored))
    tried = document(foretick("test", "cli", "--days", "30", "--json"))
    assert (tried["alerts"], tried["held"], tried["symbols"]) == (2, 58, {"CLI": 2})
    (first, second) = sorted(alerts.made("cli"))
    assert {alert["alert_id"] for alert in tried["last"]} == {first, second}
    alerts.wait(lambda: alerts.deliveries("cli-hook")["delivered"] == 2, lambda: alerts.deliveries("cli-hook"))
    shown = document(foretick("list", "--json"))
    (rule,) = [rule for rule in shown["rules"] if rule["name"] == "cli"]
    assert (rule["version"], rule["alerts"], rule["rule"]["when"]["operator"]) == (1, 2, "above")
    (hook,) = [one for one in shown["subscribers"] if one["name"] == "cli-hook"]
    assert (hook["delivered"], hook["waiting"], hook["failed"]) == (2, 0, 0)
    table = foretick("list").stdout
    assert "mean above 10 bp" in table
    assert "secret-path" not in table
    tailed = [json.loads(line) for line in foretick("tail", "--symbol", "CLI", "--json").stdout.splitlines()]
    assert [alert["alert_id"] for alert in tailed if alert["rule"] == "cli"] == [
        alert["alert_id"] for alert in tried["last"]
    ]
    assert f"[{first}]" in foretick("tail", "--symbol", "CLI").stdout
    assert document(foretick("ack", first, "--note", "seen", "--json")) == {"acknowledged": [first]}
    assert alerts.query("SELECT note FROM alert_acknowledgements WHERE alert_id = %s", first) == [("seen",)]
    assert document(foretick("mute", "--rule", "cli", "--for", "8h", "--json"))["deliveries_ended"] == 0
    assert "muted until" in foretick("list").stdout
    assert document(foretick(*ADD, "cli", "--replace", "--json"))["version"] == 2
    assert document(foretick("rm", "cli", "--json")) == {"removed": "cli"}
    assert document(foretick("unsubscribe", "cli-hook", "--json")) == {"unsubscribed": "cli-hook"}
    assert "cli-hook" not in (alerts.servers.home / "alerts.secrets").read_text()


def test_every_stored_kind_can_be_tried_on_the_past(foretick: Command, alerts: Alerts) -> None:
    async def send() -> None:
        outbox = Outbox(alerts.servers.broker)
        regimes = [regime(minute, "calm" if minute % 10 else "turbulent") for minute in range(1, 60)]
        event = ModelEvent("ensemble", "v1", "loaded", "f", regimes[0].time)
        await outbox.send(
            [
                (OUTCOMES, "BTCUSDT", [outcome(minute, minute % 2 == 0) for minute in range(60)]),
                (REGIMES, "BTCUSDT", regimes),
                (MODEL_EVENTS, "ensemble", [event]),
            ]
        )
        await outbox.stop()

    asyncio.run(send())
    counted = (
        "SELECT (SELECT count(*) FROM outcomes), (SELECT count(*) FROM regimes), (SELECT count(*) FROM model_events)"
    )
    alerts.wait(lambda: alerts.query(counted) == [(60, 59, 1)], lambda: alerts.query(counted))
    wanted = {
        "outcome": ("coverage below 60%", 11),
        "regime": ("state becomes turbulent", 5),
        "model-event": ("any", 1),
        "drift": ("any", 0),
        "gap": ("any", 0),
    }
    for kind, (when, spoken) in wanted.items():
        name = f"past-{kind}"
        document(foretick("add", name, "--on", kind, "--when", when, "--window", "50", "--json"))
        assert document(foretick("test", name, "--json"))["alerts"] == spoken
        document(foretick("rm", name, "--json"))
    document(foretick("add", "past-health", "--on", "health", "--when", "state becomes failed", "--json"))
    assert "how the components were is not stored" in foretick("test", "past-health").stderr


def test_health_is_watched(foretick: Command, alerts: Alerts) -> None:
    document(
        foretick(
            "add",
            "up",
            "--on",
            "health",
            "--when",
            "state is healthy",
            "--symbol",
            "REDIS",
            "--cooldown",
            "1h",
            "--json",
        )
    )
    alerts.wait(lambda: len(alerts.made("up")) == 1, lambda: alerts.made("up"))
    assert alerts.query("SELECT symbol, message FROM alerts WHERE rule = 'up'") == [
        ("REDIS", "component redis: state is healthy")
    ]

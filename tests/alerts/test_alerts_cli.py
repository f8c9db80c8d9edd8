"""`foretick alerts` and its lines, on a running stack."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from re import fullmatch
from typing import Any

import pytest
from alert_records import outcome, prediction, regime
from alert_runs import TAKES_EFFECT_S, Alerts
from receiver import Receiver
from stacks import environment_of

from alerts.delivery.webhook_signature import verify
from broker.confirmed_send import KafkaWriter
from settings import ROOT
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
        (("test",), "give a rule, or --send with a subscriber"),
        (("test", "nobody"), "there is no rule nobody"),
        (("test", "--send", "nobody"), "there is no subscriber nobody"),
        (("subscribe", "x"), "one way to a subscriber: --webhook URL, --apprise URL or --redis"),
        (("subscribe", "x", "--webhook", "ftp://h/secret"), "must begin with https://"),
        (("subscribe", "x", "--webhook", "https://nowhere.invalid/secret"), "the host nowhere.invalid has no address"),
        (("subscribe", "x", "--apprise", "nothing://secret"), "apprise cannot read that address"),
        (("unsubscribe", "nobody"), "there is no subscriber nobody"),
        (("ack", "nothing"), "there is no alert nothing"),
        (("mute", "--for", "1h"), "mute what?"),
        (("mute", "x"), "mute until when?"),
        (("mute", "x", "8h", "--until", "2030-01-01"), "mute until when?"),
        (
            ("mute", "x", "long"),
            "for how long? interval 'long' is not a whole number followed by s, m, h or d (such as ",
        ),
        (("mute", "x", "--until", "2025-05-04T15:33"), "--until 2025-05-04T15:33 is in the past: now it is 20"),
        (("mute", "x", "always"), "there is no rule x: foretick alerts list"),
        (
            ("mute", "--alert", "nothing", "--for", "1h"),
            "there is no alert nothing: foretick alerts tail shows the ids",
        ),
        (("unmute",), "unmute what?"),
        (("unmute", "x"), "there is no rule x: foretick alerts list"),
        (("unmute", "--symbol", "BTCUSDT"), "nothing of that is muted: foretick alerts list shows the mutes"),
    ],
)
def test_a_mistake_gets_one_line(foretick: Command, arguments: tuple[str, ...], line: str) -> None:
    done = foretick(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"foretick: {line}") or line in done.stderr
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_a_rule_is_added_tried_replaced_listed_and_removed(foretick: Command, alerts: Alerts) -> None:
    with Receiver().listening() as receiver:
        added = document(foretick(*ADD, "cli", "--symbol", "CLI*", "--horizon", "15", "--cooldown", "30m", "--json"))
        assert (added["rule"], added["version"]) == ("cli", 1)
        assert foretick(*ADD, "cli").stderr == ("foretick: there is a rule cli already: --replace replaces it\n")
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
    assert (tried["alerts"], tried["suppressed"], tried["symbols"]) == (2, 58, {"CLI": 2})
    (first, second) = sorted(alerts.made("cli"))
    assert {alert["alert_id"] for alert in tried["last"]} == {first, second}
    alerts.wait(lambda: alerts.deliveries("cli-hook")["delivered"] == 2, lambda: alerts.deliveries("cli-hook"))
    shown = document(foretick("list", "--json"))
    (rule,) = [rule for rule in shown["rules"] if rule["name"] == "cli"]
    assert (rule["version"], rule["alerts"], rule["rule"]["when"]["operator"]) == (1, 2, "above")
    (hook,) = [one for one in shown["subscribers"] if one["name"] == "cli-hook"]
    assert (hook["delivered"], hook["waiting"], hook["failed"]) == (2, 0, 0)
    table = foretick("list", "--wide").stdout
    assert "mean above 10 bp" in table
    assert "secret-path" not in table
    tailed = [json.loads(line) for line in foretick("tail", "--symbol", "CLI", "--json").stdout.splitlines()]
    assert [alert["alert_id"] for alert in tailed if alert["rule"] == "cli"] == [
        alert["alert_id"] for alert in tried["last"]
    ]
    assert f"[{first}]" in foretick("tail", "--symbol", "CLI").stdout
    assert document(foretick("ack", first, "--note", "seen", "--json")) == {"acknowledged": [first]}
    assert alerts.query("SELECT note FROM alert_acknowledgements WHERE alert_id = %s", first) == [("seen",)]
    assert document(foretick("mute", "cli", "8h", "--json"))["deliveries_ended"] == 0
    assert "warning, muted" in foretick("list", "--wide").stdout
    assert document(foretick(*ADD, "cli", "--replace", "--json"))["version"] == 2
    assert document(foretick("rm", "cli", "--json")) == {"removed": "cli"}
    assert document(foretick("unsubscribe", "cli-hook", "--json")) == {"unsubscribed": "cli-hook"}
    assert "cli-hook" not in (alerts.servers.home / "alerts.secrets").read_text()


def mutes(foretick: Command) -> list[tuple[str | None, str | None, str | None]]:
    result = document(foretick("list", "--json"))["mutes"]
    return [(one["rule"], one["symbol"], one["until"]) for one in result if one["rule"] == "loud"]


@pytest.mark.long
def test_a_rule_is_muted_for_good_and_unmuted_and_only_a_rule_that_there_is(foretick: Command, alerts: Alerts) -> None:
    document(foretick(*ADD, "loud", "--symbol", "LOUD*", "--json"))
    misspelt = foretick("mute", "luod", "always")
    assert (misspelt.returncode, misspelt.stderr) == (
        2, "foretick: there is no rule luod, the nearest is loud: foretick alerts list\n",
    )  # fmt: skip
    assert foretick("mute", "loud", "always").stdout == (
        "loud: muted until `foretick alerts unmute`; 0 waiting deliveries will not be made\n"
    )
    document(foretick("mute", "loud", "--symbol", "LOUD/USDT", "--until", "2030-01-01T00:00", "--json"))
    assert mutes(foretick) == [("loud", "LOUDUSDT", "2030-01-01T00:00:00Z"), ("loud", None, None)]
    shown = foretick("list").stdout
    assert fullmatch(r"(?s).*rule loud, symbol LOUDUSDT\W+2030-01-01 00:00 UTC\W.*rule loud\W+unmuted\W.*", shown)
    time.sleep(TAKES_EFFECT_S)
    alerts.send([prediction(0, symbol="LOUD")])
    alerts.wait(lambda: alerts.deliveries("redis", "loud") == {"muted": 1}, lambda: alerts.deliveries("redis", "loud"))
    assert foretick("unmute", "loud").stdout == "loud: 2 mutes ended\n"
    assert mutes(foretick) == []
    assert foretick("unmute", "loud").stderr == (
        "foretick: nothing of that is muted: foretick alerts list shows the mutes\n"
    )
    time.sleep(TAKES_EFFECT_S)
    alerts.send([prediction(1, symbol="LOUD")])
    both = {"muted": 1, "delivered": 1}
    alerts.wait(lambda: alerts.deliveries("redis", "loud") == both, lambda: alerts.deliveries("redis", "loud"))
    text = foretick("subscribe", "loud-ear", "--redis", "--rule", "luod", "--rule", "lou*").stdout
    assert text == (
        "subscribed loud-ear: foretick:alerts\nthere is no rule luod, the nearest is loud: foretick alerts list\n"
    )
    document(foretick("unsubscribe", "loud-ear", "--json"))
    document(foretick("mute", "loud", "always", "--json"))
    assert foretick("rm", "luod").stderr.endswith("there is no rule luod, the nearest is loud: foretick alerts list\n")
    document(foretick("rm", "loud", "--json"))
    assert mutes(foretick) == []


@pytest.mark.long
def test_a_rule_on_any_stored_kind_can_be_backtested(foretick: Command, alerts: Alerts) -> None:
    async def send() -> None:
        writer = KafkaWriter(alerts.servers.broker)
        regimes = [regime(minute, "calm" if minute % 10 else "turbulent") for minute in range(1, 60)]
        event = ModelEvent(model="ensemble", version="v1", event="loaded", fingerprint="f", time=regimes[0].time)
        await writer.send(
            [
                (OUTCOMES, "BTCUSDT", [outcome(minute, minute % 2 == 0) for minute in range(60)]),
                (REGIMES, "BTCUSDT", regimes),
                (MODEL_EVENTS, "ensemble", [event]),
            ]
        )
        await writer.stop()

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
    assert "the components' states are not stored" in foretick("test", "past-health").stderr


def test_a_rule_on_health_alerts(foretick: Command, alerts: Alerts) -> None:
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
    ((symbol, words),) = alerts.query("SELECT symbol, message FROM alerts WHERE rule = 'up'")
    assert symbol == "REDIS"
    assert fullmatch(r"component redis: healthy at 20\d\d-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC; state is healthy", words)

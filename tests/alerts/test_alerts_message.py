"""What an alert says: the price now, what is forecast, when it comes true, and of the other kinds what they have."""

from typing import Any

import msgspec
import pytest
from alert_records import START, outcome, prediction, regime
from msgspec import Struct

from alerts.component_health import ComponentHealth
from alerts.rules import message
from alerts.rules.check import check
from alerts.rules.fold import State, step
from alerts.rules.kinds import KINDS
from alerts.rules.observation import observations
from alerts.rules.rule import Rule, When
from topics.records import Drift, Forecast, Gap, ModelEvent

MEAN = When("above", "mean", 0.001)


def said(rule: Rule, record: Struct) -> str:
    check(rule)
    (seen,) = observations(rule, record)
    _, alert = step(rule, State(), seen)
    assert alert is not None
    return alert.message


def priced(price: float, interval: str = "1m", forecast: Forecast | None = None) -> Struct:
    one = prediction(0, 0.00123)
    changes: dict[str, Any] = {"forecasts": [forecast]} if forecast else {}
    return msgspec.structs.replace(one, price=price, interval=interval, **changes)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        # The bar begins at 15:07 and closes at 15:08, when the price is known; 15 bars later it is 15:23.
        (
            priced(64_000.0),
            "BTCUSDT at 64,000.00: ensemble forecasts 64,000.00, 90% between 63,808.29 and 64,192.29, "
            "for 2025-06-15 15:23 UTC (15m ahead); mean 12.3 bp (above 10 bp)",
        ),
        (
            priced(2.263e-10),
            "BTCUSDT at 2.263e-10: ensemble forecasts 2.263e-10, 90% between 2.256e-10 and 2.270e-10, "
            "for 2025-06-15 15:23 UTC (15m ahead); mean 12.3 bp (above 10 bp)",
        ),
        (
            priced(0.0731, "1h"),
            "BTCUSDT at 0.073100: ensemble forecasts 0.073100, 90% between 0.072881 and 0.073320, "
            "for 2025-06-16 07:07 UTC (15h ahead); mean 12.3 bp (above 10 bp)",
        ),
        (
            priced(64_000.0, forecast=Forecast(horizon=15, mean=0.002, scale=0.001)),
            "BTCUSDT at 64,000.00: ensemble forecasts 64,128.13, "
            "for 2025-06-15 15:23 UTC (15m ahead); mean 20 bp (above 10 bp)",
        ),
        (
            priced(64_000.0, "tick-500"),
            "BTCUSDT at 64,000.00: ensemble forecasts 64,000.00, 90% between 63,808.29 and "
            "64,192.29, for an unknown time (15 bars of tick-500 ahead); mean 12.3 bp (above 10 bp)",
        ),
        (
            priced(64_000.0, "99999d", Forecast(horizon=60, mean=0.002, scale=0.001)),
            "BTCUSDT at 64,000.00: ensemble forecasts 64,128.13, "
            "for an unknown time (5999940d ahead); mean 20 bp (above 10 bp)",
        ),
    ],
)
def test_an_alert_about_a_forecast_says_price_forecast_and_when_it_comes_true(record: Struct, words: str) -> None:
    assert said(Rule(name="m", on="prediction", when=MEAN), record) == words


@pytest.mark.parametrize(
    ("on", "when", "record", "words"),
    [
        (
            "prediction",
            When("above", "p_up", 0.5),
            priced(64_000.0, forecast=Forecast(horizon=15, mean=None, scale=None, quantiles=None, p_up=0.6)),
            "BTCUSDT at 64,000.00: ensemble forecasts no price, for 2025-06-15 15:23 UTC (15m ahead); "
            "p_up 60% (above 50%)",
        ),
        (
            "prediction",
            When("above", "price", 63_000.0),
            prediction(0),
            "BTCUSDT at 64,000.00: prediction of ensemble at 2025-06-15 15:08 UTC; price 64000 (above 63000)",
        ),
        (
            "prediction",
            When("any"),
            prediction(0),
            "BTCUSDT at 64,000.00: prediction of ensemble at 2025-06-15 15:08 UTC",
        ),
        (
            "outcome",
            When("is", "interval_hit", word="false"),
            outcome(0, False),
            "BTCUSDT: forecast of ensemble for 2025-06-15 15:23 UTC (15m ahead) is scored; the price moved 10 bp; "
            "interval_hit is false",
        ),
        (
            "outcome",
            When("any"),
            outcome(0, None),
            "BTCUSDT: forecast of ensemble for 2025-06-15 15:23 UTC (15m ahead) is stale",
        ),
        (
            "regime",
            When("is", "state", word="calm"),
            regime(0, "calm"),
            "BTCUSDT: regime calm on 1m bars at 2025-06-15 15:08 UTC; probability 90%; state is calm",
        ),
        (
            "drift",
            When("any"),
            Drift(
                model="gbm",
                version="v1",
                kind="errors",
                detector="adwin",
                time=START,
                statistic=1.0,
                limit=0.5,
                interval="1m",
                symbol="BTCUSDT",
                horizon=15,
                since=START,
                detail="loss 2.1 bp, was 1.4 bp",
            ),
            "BTCUSDT: drift of errors of gbm found by adwin at 2025-06-15 15:07 UTC; since 2025-06-15 15:07 UTC; "
            "loss 2.1 bp, was 1.4 bp",
        ),
        (
            "drift",
            When("any"),
            Drift(
                model="gbm",
                version="v1",
                kind="expiry",
                detector="age",
                time=START,
                statistic=1.0,
                limit=0.5,
                interval="1m",
            ),
            "ALL: drift of expiry of gbm found by age at 2025-06-15 15:07 UTC",
        ),
        (
            "gap",
            When("any"),
            Gap(symbol="BTCUSDT", venue="binance", start=START, end=START + 90_000, reason="reconnected"),
            "BTCUSDT: trades of binance are missing over 90 s, 2025-06-15 15:07 UTC to 2025-06-15 15:08:30 UTC "
            "(reconnected)",
        ),
        (
            "model-event",
            When("is", "event", word="refused"),
            ModelEvent(model="gbm", version="v2", event="refused", fingerprint="f", time=START, reason="no"),
            "gbm v2: refused at 2025-06-15 15:07 UTC; no; event is refused",
        ),
        (
            "model-event",
            When("any"),
            ModelEvent(model="gbm", version="v2", event="loaded", fingerprint="f", time=START),
            "gbm v2: loaded at 2025-06-15 15:07 UTC",
        ),
        (
            "health",
            When("is", "state", word="failed"),
            ComponentHealth(component="redis", time=START, state="failed", restarts=3, error="no memory"),
            "component redis: failed at 2025-06-15 15:07 UTC; no memory; state is failed",
        ),
    ],
)
def test_an_alert_of_another_kind_says_what_its_record_has(on: str, when: When, record: Struct, words: str) -> None:
    assert said(Rule(name="r", on=on, when=when), record) == words


def test_a_users_template_may_name_every_field() -> None:
    own = "{symbol} {price} -> {forecast} | {due} | {ahead} | {time} | {found} | {horizon}"
    assert said(Rule(name="r", on="prediction", when=MEAN, message=own), prediction(0)) == (
        "BTCUSDT 64,000.00 -> 64,000.00, 90% between 63,808.29 and 64,192.29 | 2025-06-15 15:23 UTC | 15m | "
        "2025-06-15 15:08 UTC | mean 20 bp (above 10 bp) | 15"
    )
    own = "{since} {detail} {statistic}{field}"
    drift = Drift(
        model="gbm", version="v1", kind="expiry", detector="age", time=START, statistic=1.0, limit=0.5, interval="1m"
    )
    assert said(Rule(name="r", on="drift", when=When("any"), message=own), drift) == "? ? 1"


def test_every_template_names_only_known_fields() -> None:
    for kind in KINDS.values():
        for template in filter(None, (kind.template, kind.of_forecast)):
            assert {name for _, name in message.parts(template) if name is not None} <= set(message.names(kind))

"""An alert's link, opened in Chromium: the page shows what it is about, and notes nothing, whatever kind it is of."""

import re

import msgspec
import pytest
from playwright.sync_api import Page, expect
from short_form import keeping

from alerts.component_health import ComponentHealth
from alerts.rules.fold import alert
from alerts.rules.kinds import KINDS
from alerts.rules.link import link
from alerts.rules.observation import observations
from alerts.rules.rule import Rule, When
from topics.records import HORIZONS, Drift, Forecast, Gap, ModelEvent, Outcome, Prediction, Regime

pytestmark = [pytest.mark.services, pytest.mark.browser]

Chosen = tuple[str, str, int]
"""A symbol, a model and a horizon."""
T0 = 1_750_000_020_000
FORECAST = Forecast(horizon=60, mean=0.0, scale=0.001, quantiles=None, p_up=0.5)
SHORT = ("prediction", "model-event", "health")
DEFAULT = ("BTCUSDT", "gbm", 15)
"""What the page chooses where the link says nothing."""
ABOUT: dict[str, tuple[msgspec.Struct, Chosen]] = {
    "prediction": (
        Prediction(
            symbol="ETHUSDT",
            interval="1m",
            time=T0,
            model="naive",
            version="v1",
            fingerprint="f",
            price=1.0,
            forecasts=[FORECAST],
            regime="calm",
        ),
        ("ETHUSDT", "naive", 60),
    ),
    "outcome": (
        Outcome("ETHUSDT", "1m", T0, "naive", "v1", 60, T0 + 3_600_000, "stale"),
        ("ETHUSDT", "naive", 60),
    ),
    "regime": (
        Regime(symbol="ETHUSDT", interval="1m", time=T0, state="calm", posterior={"calm": 1.0}),
        ("ETHUSDT", "gbm", 15),
    ),
    "drift": (
        Drift(
            model="naive",
            version="v1",
            kind="errors",
            detector="cusum",
            time=T0,
            statistic=2.0,
            limit=1.0,
            interval="1m",
            symbol="ETHUSDT",
            horizon=60,
        ),
        ("ETHUSDT", "naive", 60),
    ),
    "gap": (Gap(symbol="ETHUSDT", venue="binance", start=T0, end=T0 + 1, reason="lost"), ("ETHUSDT", "gbm", 15)),
    "model-event": (
        ModelEvent(model="naive", version="v1", event="loaded", fingerprint="f", time=T0),
        ("BTCUSDT", "naive", 15),
    ),
    "health": (ComponentHealth(component="worker", time=T0, state="looping"), DEFAULT),
}


@pytest.mark.parametrize("kind", keeping(SHORT, KINDS))
def test_the_link_of_an_alert_opens_what_it_is_about(kind: str, page: Page, dashboard: str) -> None:
    record, expected = ABOUT[kind]
    when = When("above", "mean", -1.0) if kind == "prediction" else When("any")  # only then one forecast is looked at
    rule = Rule(name="big", on=kind, when=when)
    (seen,) = observations(rule, record)
    page.goto(link(dashboard.rstrip("/"), alert(rule, seen, None, 0)))
    expect(page.locator("body")).to_have_attribute("data-state", re.compile("waiting|replay"), timeout=30_000)
    symbol, model, horizon = expected
    chosen = "choosers => choosers.map(chooser => chooser.selectedOptions[0].label)"
    assert page.locator("nav select").evaluate_all(chosen)[:2] == [symbol, model]
    active = page.evaluate("Bokeh.documents[0].get_model_by_name('horizon').active")
    assert HORIZONS[active] == horizon
    assert page.evaluate("Bokeh.documents[0].get_model_by_name('notices').text") == ""

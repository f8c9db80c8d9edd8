"""An alert links to the dashboard's page at what it is about; the page itself says that it can follow."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import ValidationError

from alerts.component_health import COMPONENTS
from alerts.rules.link import dashboard, link
from dashboard.live.view_state import Choice, parse
from settings import Settings
from stack.component_table import components
from topics.records import Alert

PAGE = "http://127.0.0.1:5006"


def alert(
    symbol: str = "BTCUSDT", interval: str | None = "1m", horizon: int | None = 15, model: str | None = "gbm"
) -> Alert:
    return Alert(
        alert_id="a",
        rule="big",
        symbol=symbol,
        time=0,
        severity="info",
        message="",
        rule_version=1,
        model=model,
        interval=interval,
        horizon=horizon,
    )


@pytest.mark.parametrize(
    ("about", "choice"),
    [
        (alert(), Choice(symbol="BTCUSDT", interval="1m", model="gbm", horizon=15)),
        (alert("BTCUSDT:USDT", "5m", 60), Choice(symbol="BTCUSDT:USDT", interval="5m", model="gbm", horizon=60)),
        (alert("CAFÉUSDT", model="x&y=z"), Choice(symbol="CAFÉUSDT", interval="1m", model="x&y=z", horizon=15)),
        (alert(horizon=10), Choice(symbol="BTCUSDT", interval="1m", model="gbm")),
        (alert(interval="tick-500"), Choice(symbol="BTCUSDT", interval=None, model="gbm", horizon=15)),
        (alert("ALL", horizon=None), Choice(symbol=None, interval="1m", model="gbm")),
        (alert("BTCUSDT", None, None, None), Choice(symbol="BTCUSDT")),  # a gap of a venue
        (alert("REDIS", None, None, None), Choice()),  # a component
        (alert("ALL", None, None, None), Choice()),  # what Kafka deleted before it was read
        (alert("ALL", "1m", None, "gbm"), Choice(symbol=None, interval="1m", model="gbm")),  # a version of a model
    ],
)
def test_the_page_can_follow_the_link(about: Alert, choice: Choice) -> None:
    address = link(PAGE, about)
    assert address.startswith(f"{PAGE}/")
    assert parse(dict(parse_qsl(urlsplit(address).query)), "1m") == (choice, ())


def test_an_alert_about_a_component_names_no_symbol(tmp_path: Path) -> None:
    results = {one.name for one in components(Settings(home=tmp_path))}
    assert results == set(COMPONENTS)
    assert {link(PAGE, alert(name.upper(), None, None, None)) for name in results} == {f"{PAGE}/"}


def test_the_address_is_this_machines_or_the_one_that_is_set() -> None:
    assert dashboard(Settings(dashboard_port=5017)) == "http://127.0.0.1:5017"
    assert dashboard(Settings(dashboard_url="https://foretick.example/")) == "https://foretick.example"
    with pytest.raises(ValidationError):
        Settings(dashboard_url="foretick.example")

"""Models and horizons beside each other: what is read of them, and what the card says."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from dashboard_market import FIRST, MINUTE, Market
from psycopg import Connection

from dashboard.clock import Clock
from dashboard.database import connected
from dashboard.live.comparison.card import card, drawn
from dashboard.live.comparison.panel import chosen
from dashboard.live.comparison.reader import Comparison, ComparisonKey, ComparisonSource, Skill
from dashboard.live.look import Look
from dashboard.live.quantile_forecast import QuantileForecast
from dashboard.live.view_state import BarSeries, Choice
from dashboard.palette import LIGHT, model_colours

SERIES = BarSeries("BTCUSDT", "1m")
CHOICE = Choice(symbol="BTCUSDT", interval="1m", model="gbm")
LOOK = Look(
    palette=LIGHT,
    models=model_colours(["gbm", "naive"], LIGHT),
    regimes={},
    model="gbm",
    hidden=frozenset(),
    clock=Clock(),
    old=False,
)
SAID = QuantileForecast(time=FIRST, price=100.0, q05=-0.002, q10=-0.001, q50=0.0005, q90=0.001, q95=0.002, p_up=0.61)


def known(**changed: Any) -> Comparison:
    said = {("gbm", 15): SAID, ("naive", 15): replace(SAID, q05=-0.004, q95=0.004)}
    plain = Comparison(bar=FIRST, said=said, skills={("gbm", 15): Skill(value=0.042, forecasts=1_200)})
    return replace(plain, **changed)


def html(comparison: Comparison | None, problem: str | None = None) -> str:
    return card(comparison, SERIES, CHOICE, LOOK, problem)


def test_a_cell_says_the_chance_the_median_the_interval_and_the_skill() -> None:
    text = html(known())
    for words in ("P(up) <b>61 %</b>", "median +5.0", "90 % \u221220.0 to +20.0", "skill <b>+4.2 %</b>", "of 1,200"):
        assert words in text
    assert "scale ±40 bp" in text
    assert text.count("no forecast") == 6
    assert text.index(">gbm<") < text.index(">naive<") if ">gbm<" in text else "gbm" in text
    assert text.count('aria-pressed="true"') == 1


def test_all_models_of_a_horizon_have_one_scale() -> None:
    assert 'x="50.0" y="6" width="100.0"' in drawn(SAID, 0.004, "#000")
    assert 'x="0.0" y="6" width="200.0"' in drawn(SAID, 0.002, "#000")
    assert "rect" not in drawn(None, 0.0, "#000")


def test_an_old_forecast_is_grey_and_says_how_old() -> None:
    text = html(known(bar=FIRST + 5 * MINUTE))
    assert text.count("5 min old") == 2
    assert text.count('class="old') == 2
    assert f"--c:{LIGHT.muted}" in text
    assert "2 min old" not in html(known(bar=FIRST + 2 * MINUTE))


def test_a_database_that_does_not_answer_and_a_symbol_without_forecasts_are_said() -> None:
    assert "No answer" in html(known(), "No answer <b>.")
    assert "&lt;b&gt;" in html(known(), "No answer <b>.")
    assert "Reading" in html(None)
    assert "No model has a forecast yet" in html(known(said={}))


def test_a_press_chooses_the_model_and_the_horizon() -> None:
    assert chosen(CHOICE, "compare:60:naive") == replace(CHOICE, model="naive", horizon=60)
    for other in ("layer:q05", "compare:7:gbm", "compare:15:", "q05"):
        assert chosen(CHOICE, other) == CHOICE


@pytest.fixture(scope="module")
def stored(new_market: Callable[[], Market]) -> Market:
    market = new_market()
    market.write(300, ("BTCUSDT",))
    return market


@pytest.fixture
def connection(stored: Market) -> Iterator[Connection]:
    with connected(stored.url) as connection:
        yield connection


@pytest.mark.services
def test_the_champions_newest_forecasts_and_their_skill_are_read(connection: Connection) -> None:
    source = ComparisonSource()
    found = source.read(connection, ComparisonKey(SERIES))
    assert found is not None
    assert found.models == ["gbm", "naive"]
    assert len(found.said) == 8
    assert {one.time for one in found.said.values()} == {found.bar} == {FIRST + 299 * MINUTE}
    skill = found.skills["gbm", 15]
    assert skill.value == pytest.approx(1 - 1.0 / 1.2)  # the challenger's losses are far higher
    assert skill.forecasts == 240  # of four whole hours: the fifth is not over
    assert found.skills["gbm", 60].forecasts == 180
    assert source.read(connection, ComparisonKey(SERIES)) is found


@pytest.mark.services
def test_as_of_the_past_nothing_of_later_is_read(connection: Connection) -> None:
    found = ComparisonSource().read(connection, ComparisonKey(SERIES, FIRST + 130 * MINUTE))
    assert found is not None
    assert {one.time for one in found.said.values()} == {FIRST + 130 * MINUTE}
    assert found.skills["gbm", 5].forecasts == 120
    assert found.skills["gbm", 15].forecasts == 60
    assert ComparisonSource().read(connection, ComparisonKey(BarSeries("NONE", "1m"))) is None

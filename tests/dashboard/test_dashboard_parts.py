"""The small pure parts: runs, growth, wording, colours, joined columns, and the text of the page."""

import doctest
import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module

import numpy as np
import pytest

from dashboard.live import header
from dashboard.live.freshness import PageHealth
from dashboard.live.queries import QUERIES
from dashboard.live.rate_meter import RateMeter, Rates
from dashboard.live.regime_ribbon import runs
from dashboard.live.scores import reach
from dashboard.live.series_reader import Key, Newest, RegimeNow, Snapshot, beside
from dashboard.live.view_state import BarSeries
from dashboard.number_format import DASH, count, currencies, percent, price
from dashboard.palette import DARK, LIGHT, model_colours, regime_colours
from dashboard.static_files import asset
from features.regimes import STATES
from observability.lag import NOTHING, UNKNOWN, ConsumerLag
from stack.conditions import ComponentSummary

MINUTE = 60_000


@pytest.mark.parametrize(
    "name",
    [
        "dashboard.live.view_state",
        "dashboard.live.freshness",
        "dashboard.live.regime_ribbon",
        "dashboard.number_format",
    ],
)
def test_the_examples_in_the_docstrings_hold(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


def test_a_gap_ends_a_run_and_so_does_another_state() -> None:
    bars = [(0, "calm"), (1, "calm"), (2, "wild"), (5, "wild"), (6, "wild")]
    regime_spans = runs(((minute * MINUTE, state) for minute, state in bars), "1m")
    assert [(run.state, run.start // MINUTE, run.end // MINUTE) for run in regime_spans] == [
        ("calm", 0, 2),
        ("wild", 2, 3),
        ("wild", 5, 7),
    ]


def test_rates_are_over_the_window_and_unknown_at_first() -> None:
    growth = RateMeter()
    assert growth.add(0.0, 100, 1_000) == Rates()
    assert growth.add(2.0, 120, 1_200) == Rates(10.0, 100.0)
    for second in range(3, 30):
        rates = growth.add(float(second), 120, 1_200)
    assert rates == Rates(0.0, 0.0)


def test_a_counter_that_falls_or_is_unknown_gives_no_rate() -> None:
    growth = RateMeter()
    growth.add(0.0, 100, 100)
    assert growth.add(1.0, 50, 100) == Rates()
    assert growth.add(2.0, 60, 100) == Rates(10.0, 0.0)
    assert growth.add(3.0, None, None) == Rates()
    assert growth.add(4.0, 70, 100) == Rates()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (104_312.5, "104,312.50"),
        (2.34567, "2.3457"),
        (0.0731, "0.073100"),
        (3.4e-5, "0.000034000"),
        (1e-7, "1.000e-7"),
        (2.263e-10, "2.263e-10"),
        (7.1e-12, "7.100e-12"),
        (None, DASH),
        (math.nan, DASH),
    ],
)
def test_a_price_has_the_digits_that_it_needs(value: float | None, text: str) -> None:
    assert price(value) == text


def test_numbers_are_signed_truly_and_unknown_is_a_dash() -> None:
    assert percent(-0.0123, sign=True) == "\u22121.2 %"
    assert percent(0.0123, sign=True) == "+1.2 %"
    assert percent(-0.00001, sign=True) == "0.0 %"
    assert percent(None) == percent(math.nan) == count(None) == DASH


def test_a_name_that_does_not_tell_its_currencies_has_none() -> None:
    assert currencies("COIN") == currencies("USDT") == ("", "")


def test_every_state_and_model_has_a_colour_of_its_own() -> None:
    for palette in (LIGHT, DARK):
        assert len(set(regime_colours(STATES, palette).values())) == len(STATES)
        colours = model_colours(("gbm", "naive", "online"), palette)
        assert len(set(colours.values())) == 3
        assert colours["naive"] == palette.baseline
        assert regime_colours(["calm", "strange"], palette)["strange"] == palette.other_regimes[0]


def test_every_colour_that_the_style_sheets_use_is_in_the_palette() -> None:
    used = {
        name
        for sheet in ("page.css", "text.css", "widgets.css", "tooltip.css", "toolbar.css")
        for name in re.findall(r"var\(--([a-z_]+)\)", asset(sheet))
    }
    own = {"c", "height", "share"}
    assert used - own <= set(re.findall(r"--([a-z_]+):", LIGHT.css()))
    assert set(re.findall(r"--([a-z_]+):", LIGHT.css())) == set(re.findall(r"--([a-z_]+):", DARK.css()))


def test_forecasts_stand_beside_the_bars_at_which_they_came_true() -> None:
    bars = {"time": np.array([1.0, 2.0, 5.0]), "close": np.array([1.0, 1.0, 1.0])}
    resolved = {name: np.array([9.0, 8.0, 7.0]) for name in ("lower", "upper", "realised", "hit")}
    joined = beside(bars, resolved | {"time": np.array([2.0, 3.0, 6.0])})
    np.testing.assert_array_equal(joined["lower"], [np.nan, 9.0, np.nan])
    nothing = {name: np.empty(0) for name in ("time", "lower", "upper", "realised", "hit")}
    assert np.isnan(beside(bars, nothing)["hit"]).all()


def test_the_range_of_a_score_holds_the_reference_and_is_never_narrow() -> None:
    low, high = reach([np.array([np.nan, 0.9])], around=0.9)
    assert low < 0.88
    assert high > 0.92
    assert reach([np.array([0.5])], around=0.9)[0] < 0.5


def test_the_queries_name_what_they_need_and_hold_no_value() -> None:
    assert set(QUERIES) == {
        "series", "newest", "models", "bars", "resolved", "fan", "regimes", "scores", "inserted"
    }  # fmt: skip
    for sql in QUERIES.values():
        assert sql.startswith(("SELECT", "WITH", "--"))
        assert ";" not in re.sub(r"--.*", "", sql)


def snapshot(symbol: str = "BTCUSDT", model: str = "gbm", state: str = "calm") -> Snapshot:
    column = np.array([100.0, 99.0])
    return Snapshot(
        key=Key(BarSeries(symbol, "1m"), model, 15, 180),
        serial=1,
        newest=Newest(datetime(2025, 5, 18, 15, 32, tzinfo=UTC), None, None, None),
        models=(model,),
        bars=dict.fromkeys(("time", "open", "high", "low", "close", "volume"), column),
        fan={"time": np.empty(0)},
        runs=(),
        regime=RegimeNow(state, 0.82),
        scores={
            model: dict.fromkeys(("time", "scored", "coverage", "skill", "direction", "moved", "error"), column / 100)
        },
    )


def test_the_headline_says_price_change_regime_and_event_time() -> None:
    text = re.sub(r"<[^>]*>", " ", header.headline(snapshot(), {}))
    for part in ("BTCUSDT", "99.000000"[:5], "USDT", "\u22121.00 %", "calm", "82 %", "18 May 2025 15:32 UTC"):
        assert part in text


def test_what_comes_from_data_is_escaped() -> None:
    evil = "<img src=x onerror=alert(1)>"
    shown = snapshot(symbol=evil, model=evil, state=evil)
    colours = {evil: "#000000"}
    pages = [
        header.headline(shown, colours),
        header.board(shown, colours),
        *header.titles(shown, LIGHT, colours, colours).values(),
        header.coverage_title(shown, colours),
        header.skill_title(shown, colours),
        header.notices(PageHealth("stale", "stale", evil), (evil,)),
        header.blank(PageHealth("unreachable", "x", evil)),
        header.badge(PageHealth("live", evil, evil)),
        header.pipeline(Rates(), {evil: ConsumerLag(1, 1)}, [ComponentSummary(evil, "looping", evil, good=False)]),
    ]
    for page in pages:
        assert "<img" not in page


def test_each_component_that_is_not_healthy_is_named_with_its_reason() -> None:
    well, waits = (
        ComponentSummary("worker", "healthy", "", good=True),
        ComponentSummary("watch", "waiting", "another works", good=False),
    )
    assert "All 1 components are healthy" in header.pipeline(Rates(), {}, [well])
    text = header.pipeline(Rates(), {}, [well, waits])
    assert '<p class="stale"><b>watch</b> waiting: another works</p>' in text
    assert "worker" not in text


def test_throughput_and_lag_that_are_not_known_are_said_to_be_unknown() -> None:
    text = re.sub(
        r"<[^>]*>",
        " ",
        header.pipeline(Rates(None, 0.0), {"forecast": UNKNOWN, "store": ConsumerLag(9, 1_200, 7_300.0)}),
    )
    assert text.count("unknown") == 2
    assert re.search(r"Predictions\s+0\s+/s", text)
    assert re.search(r"Lag, store\s+1,200 rows, 2 h\s", text)
    assert re.search(r"Lag, store\s+0 rows\s", re.sub(r"<[^>]*>", " ", header.pipeline(Rates(), {"store": NOTHING})))


def test_the_share_of_right_directions_has_its_count() -> None:
    shown = snapshot()
    scores = {"direction": np.array([0.531]), "moved": np.array([1_234.0]), "scored": np.array([1_400.0])}
    columns = {**shown.scores["gbm"], **scores}
    text = re.sub(r"<[^>]*>", " ", header.board(replace(shown, scores={"gbm": columns}), {}))
    assert re.search(r"53\.1 %\s+of 1,234\s", text)
    assert text.rstrip().endswith("1,400")
    columns |= {"direction": np.array([np.nan]), "moved": np.array([0.0])}
    assert "of 0" not in header.board(replace(shown, scores={"gbm": columns}), {})

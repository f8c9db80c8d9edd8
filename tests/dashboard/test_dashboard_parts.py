"""The small pure parts: runs, growth, wording, colours, joined columns, and the text of the page."""

import doctest
import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module

import numpy as np
import pytest
from dashboard_snapshot import fan, look, snapshot

from dashboard.clock import Clock, clock_of
from dashboard.live import forecast_text, header
from dashboard.live.freshness import PageHealth
from dashboard.live.queries import QUERIES
from dashboard.live.rate_meter import RateMeter, Rates
from dashboard.live.regime_ribbon import runs
from dashboard.live.scores import reach, said
from dashboard.live.series_reader import RESOLVED_COLUMNS, CoverageAlarm, Latest, beside
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
        "dashboard.live.timeframes",
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
    own = {"c", "s", "height", "share"}
    assert used - own <= set(re.findall(r"--([a-z_]+):", LIGHT.css()))
    assert set(re.findall(r"--([a-z_]+):", LIGHT.css())) == set(re.findall(r"--([a-z_]+):", DARK.css()))


def test_forecasts_stand_beside_the_bars_at_which_they_came_true() -> None:
    bars = {"time": np.array([1.0, 2.0, 5.0]), "close": np.array([1.0, 1.0, 1.0])}
    resolved = {name: np.array([9.0, 8.0, 7.0]) for name in RESOLVED_COLUMNS[1:]}
    joined = beside(bars, resolved | {"time": np.array([2.0, 3.0, 6.0])})
    np.testing.assert_array_equal(joined["lower"], [np.nan, 9.0, np.nan])
    nothing = {name: np.empty(0) for name in RESOLVED_COLUMNS}
    assert np.isnan(beside(bars, nothing)["hit"]).all()


def test_the_range_of_a_score_holds_the_reference_and_is_never_narrow() -> None:
    low, high = reach([np.array([np.nan, 0.9])], around=0.9)
    assert low < 0.88
    assert high > 0.92
    assert reach([np.array([0.5])], around=0.9)[0] < 0.5


def test_the_queries_name_what_they_need_and_hold_no_value() -> None:
    assert set(QUERIES) == {
        "series", "newest", "latest", "models", "bars", "bars_by_frame", "resolved", "resolved_by_frame", "fan",
        "newest_until", "regimes", "regimes_by_frame", "coverage_alarm", "scores", "inserted"
    }  # fmt: skip
    for sql in QUERIES.values():
        assert sql.startswith(("SELECT", "WITH", "--"))
        assert ";" not in re.sub(r"--.*", "", sql)


def words(html: str) -> str:
    """Return what is read of it."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).replace(" ,", ",").replace(" .", ".").strip()


def test_the_headline_says_price_change_regime_and_event_time() -> None:
    text = words(header.headline(snapshot(), look({})))
    for part in ("BTCUSDT", "99.000", "USDT", "\u22121.00 %", "calm", "82 %", "18 May 2025 15:32 UTC"):
        assert part in text


def test_a_change_over_more_than_is_stored_says_since_when() -> None:
    assert "Change in 3h" in words(header.headline(snapshot(), look()))
    latest = Latest(close=99.0, before=100.0, first=datetime(2025, 5, 18, 14, 0, tzinfo=UTC))
    assert "Change since 18 May 2025" in words(header.headline(snapshot(latest=latest), look()))


def test_the_forecast_is_said_in_words_and_numbers() -> None:
    said = words(forecast_text.sentence(snapshot(), look()))
    assert said == (
        "gbm, 15m ahead: 63 % chance of a rise, 90 % between 104,210.00 and 105,030.00 by 12:45 UTC, median 104,610.00."
    )
    row = words(forecast_text.table(snapshot(), look()))
    assert "15m by 12:45 104,610.00 104,210.00 105,030.00 63 %" in row


def test_a_chance_that_is_not_known_is_not_said() -> None:
    shown = snapshot(fan=fan(math.nan))
    assert "chance" not in forecast_text.sentence(shown, look())
    assert DASH in words(forecast_text.table(shown, look()))


def test_an_old_forecast_is_dated() -> None:
    said = words(forecast_text.sentence(snapshot(), look(old=True)))
    assert said.startswith("Old forecast of 18 May 2025 12:30 UTC, 182 bars before the newest bar. gbm")


def test_without_a_forecast_none_is_made_up() -> None:
    nothing = {name: column[:0] for name, column in fan().items()}
    for html in (forecast_text.sentence, forecast_text.table):
        assert forecast_text.NOTHING in html(snapshot(fan=nothing), look())


def test_times_are_said_in_the_viewers_zone_by_choice() -> None:
    tokyo = look(clock=clock_of("local", "Asia/Tokyo"))
    assert "by 21:45 JST" in words(forecast_text.sentence(snapshot(), tokyo))
    assert "19 May 2025 00:32 JST" in words(header.headline(snapshot(), tokyo))
    assert clock_of("UTC", "Asia/Tokyo") == clock_of("local", "../etc/passwd") == clock_of("local", "") == Clock()


def test_a_target_on_another_day_has_its_date() -> None:
    midnight = datetime(2025, 5, 19, tzinfo=UTC).timestamp() * 1000
    assert Clock().brief(midnight, midnight - MINUTE) == "19 May 2025 00:00 UTC"
    assert Clock().brief(midnight + MINUTE, midnight) == "00:01 UTC"


def test_each_band_of_the_fan_has_a_swatch_and_a_button_that_says_whether_it_is_shown() -> None:
    html = header.titles(snapshot(), look(hidden=frozenset({"q10"})), (0.0, 1.0))["price_title"]
    buttons = re.findall(r'data-press="layer:(\w+)" aria-pressed="(\w+)"', html)
    assert dict(buttons) == {
        "q05": "true", "q10": "false", "q25": "true", "median": "true", "hit": "true", "missed": "true"
    }  # fmt: skip
    assert len(set(re.findall(r"--s:(\d+)%", html))) == 3


def test_a_view_of_what_is_not_stored_says_from_when_on_it_is() -> None:
    stored = snapshot().latest.first.timestamp() * 1000
    assert "stored from 09 May 2025 00:00 UTC" in header.titles(snapshot(), look(), (stored - 1, stored))["price_title"]
    assert "stored from" not in header.titles(snapshot(), look(), (stored, stored + 1))["price_title"]


def test_an_interval_that_covers_too_little_is_warned_of() -> None:
    alarm = CoverageAlarm(detail="the 90% interval covered 81.2% of the labels", since=0.0, horizon=15)
    text = forecast_text.coverage_warning(snapshot(alarm=alarm), look())
    assert text.startswith("gbm 15m ahead: the 90% interval covered 81.2% of the labels, since 01 Jan 1970 00:00 UTC")
    assert text in words(header.notices(PageHealth("live", "live", ""), (), text))
    assert forecast_text.coverage_warning(snapshot(), look()) == ""


def test_what_comes_from_data_is_escaped() -> None:
    evil = "<img src=x onerror=alert(1)>"
    alarm = CoverageAlarm(detail=evil, since=0.0, horizon=None)
    shown, how = snapshot(symbol=evil, model=evil, state=evil, alarm=alarm), look({evil: "#000000"})
    pages = [
        header.headline(shown, how),
        header.board(shown, how),
        *header.titles(shown, how, (0.0, 1.0)).values(),
        header.coverage_title(shown, how),
        header.skill_title(shown, how),
        header.notices(PageHealth("stale", "stale", evil), (evil,), forecast_text.coverage_warning(shown, how)),
        header.blank(PageHealth("unreachable", "x", evil)),
        header.badge(PageHealth("live", evil, evil)),
        header.pipeline(Rates(), {evil: ConsumerLag(1, 1)}, [ComponentSummary(evil, "looping", evil, good=False)]),
        forecast_text.table(shown, how),
        *said(shown.scores, "skill", 1, [1.0], Clock()),
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


def test_an_old_lag_is_said_to_be_old() -> None:
    well = ComponentSummary("worker", "healthy", "", good=True)
    text = header.pipeline(Rates(), {"store": NOTHING}, [well], "No answer from Kafka at <x>.")
    assert 'class="stale">No answer from Kafka at &lt;x&gt;.<' in text
    assert "are healthy" not in text


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
    text = re.sub(r"<[^>]*>", " ", header.board(replace(shown, scores={"gbm": columns}), look({})))
    assert re.search(r"53\.1 %\s+of 1,234\s", text)
    assert text.rstrip().endswith("1,400")
    columns |= {"direction": np.array([np.nan]), "moved": np.array([0.0])}
    assert "of 0" not in header.board(replace(shown, scores={"gbm": columns}), look({}))

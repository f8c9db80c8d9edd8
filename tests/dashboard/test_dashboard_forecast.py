"""A forecast in detail without a browser: which one is opened, what is said of it, and the steps of its waterfall."""

import inspect
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from math import log, nan
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from bokeh.document import Document
from bokeh.plotting import figure
from dashboard_snapshot import MINUTE, look, snapshot

from cli.explain import explain
from dashboard.bridge import Bridge
from dashboard.clock import Clock
from dashboard.forecast import detail_text, inputs
from dashboard.forecast.forecast_detail import HIDDEN, ForecastDetail
from dashboard.forecast.inputs import Input, Inputs
from dashboard.forecast.reader import RegimeThen, StoredForecast, StoredOutcome, VersionForecast
from dashboard.forecast.waterfall import comparison, steps
from dashboard.inspector import version_details
from dashboard.inspector.version_details import LoadedDetails
from dashboard.inspector.version_loader import LoadState
from dashboard.live import forecast_list, opened_forecast
from dashboard.live.detail import ForecastKey
from dashboard.live.forecast_time import read, written
from dashboard.live.past_view import PastView
from dashboard.live.series_reader import Newest, Snapshot
from dashboard.live.timeframes import Window
from dashboard.live.view_state import BarSeries, Choice, parse, query
from dashboard.palette import DARK
from dashboard.polled_reader import Reading
from models.explain.explainer import WARM_UP
from models.explain.explanation import Contribution, Explanation
from settings import Settings
from topics.records import QUANTILES

MADE = round(datetime(2025, 5, 18, 12, 30, tzinfo=UTC).timestamp() * 1000)
KEY = ForecastKey(series=BarSeries("BTCUSDT", "1m"), model="gbm", horizon=15, time=MADE)
CHOICE = Choice(symbol="BTCUSDT", interval="1m", model="gbm", horizon=15)
SAID = VersionForecast(
    version="v1",
    role="champion",
    fingerprint="print",
    regime="calm",
    expired=False,
    price=100_000.0,
    mean=0.0001,
    scale=0.001,
    quantiles={f"q{round(100 * level):02d}": (level - 0.5) / 100 for level in QUANTILES},
    p_up=0.55,
    dissimilarity=0.4,
    weights=None,
)
CAME_TRUE = StoredOutcome(
    status="s",
    realised=log(1.001),
    absolute_error=0.0009,
    naive_absolute_error=0.001,
    interval_hit=True,
    direction_hit=True,
)
TOLD = StoredForecast(
    said=SAID,
    beside=(("v2", "challenger"),),
    outcome=CAME_TRUE,
    regime=RegimeThen("calm", 0.8, 0.05),
    inputs=Inputs(fingerprint="print", values=(Input("rsi_14", 81.0, 3.2), Input("<ema>", None, None))),
    target=MADE + 15 * MINUTE,
    passed=True,
)
EXPLANATION = Explanation(
    model="gbm",
    version="v1",
    symbol="BTCUSDT",
    interval="1m",
    time=MADE,
    horizon=15,
    price=100_000.0,
    mean=0.0001,
    scale=0.001,
    quantity="mean",
    unit=0.001,
    base=0.02,
    total=0.1,
    contributions=(Contribution("rsi_14", 81.0, 0.3), Contribution("over the window", nan, -0.22)),
)


class KnownSources:
    """A reader and an explainer of which the test says what they know."""

    def __init__(self, reading: Reading[StoredForecast], work: LoadState) -> None:
        self.reading, self.work, self.asked = reading, work, list[ForecastKey]()

    def view(self, key: ForecastKey) -> Reading[StoredForecast]:  # noqa: ARG002 - as the reader's
        return self.reading

    def explained(self, key: ForecastKey, version: str) -> LoadState:
        assert version == "v1"
        self.asked.append(key)
        return self.work


def shown(
    told: StoredForecast | None = TOLD, work: LoadState | None = None, error: str | None = None
) -> tuple[ForecastDetail, Any]:
    """Return a drawer that tells of `KEY`."""
    sources: Any = KnownSources(Reading(told, 0.0, error), work or LoadState())
    detail, document = ForecastDetail(sources), Document()
    document.add_root(Bridge(name="bridge"))
    detail.attach(document, figure())
    detail.show(KEY, look())
    return detail, sources


def said(detail: ForecastDetail) -> str:
    return " ".join(text.text for name, text in detail.texts.items() if detail.cards[name].styles != HIDDEN)


def resolved(**more: Any) -> Snapshot:
    """Return a snapshot of candles of which the last but one has a forecast that came true."""
    time = np.array([MADE + 15 * MINUTE, MADE + 16 * MINUTE], dtype=np.float64)
    bars = {name: np.array([1.0, 2.0]) for name in ("open", "high", "low", "close", "volume", "lower", "upper")}
    bars |= {"time": time, "realised": np.array([1.0, nan]), "hit": np.array([0.0, nan])}
    newest = datetime.fromtimestamp(time[-1] / 1000, UTC)
    known = {
        "bars": bars | {"made": np.array([float(MADE), nan])},
        "newest": Newest(bar=newest, prediction=newest, outcome=None, regime=None),
    }
    return snapshot(**known | more)


@pytest.mark.parametrize("text", ["2025-05-18T12:30Z", "2025-05-18T12:30", "2025-05-18T14:30+02:00", str(MADE)])
def test_the_time_of_a_forecast_is_read_in_each_form(text: str) -> None:
    assert read(text) == MADE
    assert read(written(MADE + 1_000)) == MADE + 1_000


@pytest.mark.parametrize("text", ["", "soon", "9999-12-31T23:59Z", "1" * 30, "-5", "1900-01-01", "٣"])
def test_an_invalid_time_opens_no_forecast(text: str) -> None:
    assert read(text) is None
    choice, notes = parse({"forecast": text}, "1m")
    assert choice.forecast is None
    assert len(notes) == (1 if text else 0)


def test_the_opened_forecast_is_in_the_address() -> None:
    address = query(replace(CHOICE, forecast=MADE), "1m")
    assert address["forecast"] == "2025-05-18T12:30Z"
    assert parse({name: value for name, value in address.items() if value}, "1m")[0].forecast == MADE
    assert query(CHOICE, "1m")["forecast"] is None


def test_in_a_replay_a_forecast_and_its_outcome_are_known_once_their_bars_have_ended() -> None:
    minute = 60_000
    choice = Choice(symbol="BTCUSDT", interval="1m", model="gbm", horizon=5, forecast=10 * minute)
    now = opened_forecast.key(choice)
    assert now is not None
    assert now.known(1e18)
    then = opened_forecast.key(replace(choice, past=PastView(at=0, replay=15 * minute)))
    assert then is not None
    assert [then.known(then.time), then.known(14 * minute), then.known(15 * minute)] == [True, True, False]


def test_buttons_open_step_through_and_close_a_forecast() -> None:
    opened = opened_forecast.pressed(CHOICE, opened_forecast.button(MADE))
    assert opened_forecast.key(opened) == KEY
    assert opened_forecast.pressed(opened, "forecast:on").forecast == MADE + MINUTE
    assert opened_forecast.pressed(opened, "forecast:back").forecast == MADE - MINUTE
    assert opened_forecast.pressed(opened, "forecast:close").forecast is None
    for other in ("layer:q05", "", "forecast:nonsense", "forecast:on"):
        assert opened_forecast.pressed(CHOICE, other) == CHOICE
    assert opened_forecast.key(replace(opened, model=None)) is None


def test_a_click_opens_what_came_true_at_the_candle_or_what_is_ahead() -> None:
    shot = resolved()
    assert opened_forecast.pointed(CHOICE, shot, MADE + 15.2 * MINUTE).forecast == MADE
    assert opened_forecast.pointed(CHOICE, shot, MADE + 16 * MINUTE).forecast == MADE + MINUTE, "none came true there"
    assert opened_forecast.pointed(CHOICE, shot, MADE + 3 * MINUTE) == CHOICE, "no candle is there"
    newest = datetime.fromtimestamp(MADE / 1000, UTC)
    ahead = resolved(newest=Newest(bar=newest, prediction=newest, outcome=None, regime=None))
    far = opened_forecast.pointed(replace(CHOICE, horizon=1), ahead, MADE + 60 * MINUTE)
    assert (far.forecast, far.horizon) == (MADE, 15), "the fan's nearest horizon"


def test_a_longer_candle_stands_for_the_last_forecast_that_came_true_in_it() -> None:
    key = replace(snapshot().key, window=Window(180, None, "5m"))
    last = float(MADE + 4 * MINUTE)
    time = MADE + 15 * MINUTE
    bars = {"time": np.array([float(time)]), "made": np.array([last])}
    newest = datetime.fromtimestamp(time / 1000 + 4 * 60, UTC)
    shot = snapshot(key=key, bars=bars, newest=Newest(bar=newest, prediction=newest, outcome=None, regime=None))
    assert opened_forecast.pointed(CHOICE, shot, time + 3.9 * MINUTE).forecast == last
    bars["made"][0] = nan
    assert opened_forecast.pointed(CHOICE, shot, time + 3.9 * MINUTE).forecast == last, "the bar at the candle's end"


def test_the_list_has_the_newest_forecast_and_those_that_came_true() -> None:
    html = forecast_list.table(resolved(), look(opened=MADE))
    assert html.count("data-press=") == 2
    assert 'data-press="forecast:2025-05-18T12:30Z" aria-pressed="true"' in html
    assert ">open</td>" in html
    assert ">missed</td>" in html
    empty = {name: column[:0] for name, column in resolved().bars.items()}
    none = resolved(bars=empty, fan={name: column[:0] for name, column in snapshot().fan.items()})
    assert "No forecast" in forecast_list.table(none, look())


def test_what_is_stored_is_told_at_once_while_the_explanation_is_made() -> None:
    detail, sources = shown(work=LoadState(since_s=3.0))
    text = said(detail)
    for part in (
        *("gbm</", "15m ahead", "BTCUSDT", "18 May 2025 12:30 UTC", "18 May 2025 12:45 UTC", "100,000", "55 %"),
        *("inside", "9.0 bp", "right", "champion", "calm 80 %", "dissimilarity 0.4", "v2 (challenger)", "+3.2"),
        *("Not stored with a forecast", "Explaining the forecast, since 3 s", "&lt;ema&gt;"),
    ):
        assert part in text, part
    assert detail.root.visible
    assert sources.asked == [KEY]
    assert detail.plots.children == [detail.nothing]


def test_an_explanation_is_drawn_once_and_anew_in_another_theme() -> None:
    detail, _ = shown(work=LoadState(answer=LoadedDetails(explanation=EXPLANATION, bars=2_880)))
    (card,) = detail.plots.children
    assert detail.cards["explanation"].styles == HIDDEN
    detail.show(KEY, look())
    assert detail.plots.children == [card]
    detail.show(KEY, look(palette=DARK))
    assert detail.plots.children != [card]
    detail.show(None, look())
    assert not detail.root.visible


def test_why_there_is_no_explanation_is_said() -> None:
    detail, _ = shown(work=LoadState(error="Version v1 of gbm is no longer on disk."))
    assert "no longer on disk" in said(detail)
    assert "inside" in said(detail), "what is stored is still told"


def test_a_forecast_that_is_not_stored_and_a_silent_database_are_said() -> None:
    nothing = replace(TOLD, said=None, outcome=None, regime=None, inputs=None, beside=())
    detail, sources = shown(nothing)
    assert "No forecast of gbm for BTCUSDT, 15m ahead, is stored" in said(detail)
    assert not sources.asked
    detail, _ = shown(None, error="No answer from there.")
    assert "No answer from there." in said(detail)
    detail, _ = shown(error="No answer from there.")
    assert "What is below was read before." in said(detail)
    detail, _ = shown(None)
    assert "Reading what is stored" in said(detail)


@pytest.mark.parametrize(
    ("outcome", "passed", "expected"),
    [
        (None, False, "Not known yet: the bar of 18 May 2025 12:45 UTC is to come."),
        (None, True, "No outcome is stored"),
        (replace(CAME_TRUE, status="t", realised=None), True, "no bar traded at the target"),
        (replace(CAME_TRUE, status="u", realised=None), True, "had no forecast"),
        (replace(CAME_TRUE, interval_hit=False, direction_hit=None), True, "outside"),
    ],
)
def test_each_state_of_the_outcome_is_in_words(outcome: StoredOutcome | None, passed: bool, expected: str) -> None:
    assert expected in detail_text.outcome(replace(TOLD, outcome=outcome, passed=passed), SAID, Clock())


def test_what_is_unlike_the_training_data_and_what_is_unknown_is_said() -> None:
    assert "yes, the forecast is unreliable" in detail_text.origin(KEY, TOLD, replace(SAID, dissimilarity=1.3))
    assert "not known: no dissimilarity is stored" in detail_text.origin(KEY, TOLD, replace(SAID, dissimilarity=None))
    assert "not stored" in detail_text.origin(KEY, replace(TOLD, regime=None), replace(SAID, regime=None))
    assert "not served" in detail_text.origin(KEY, TOLD, replace(SAID, role="challenger"))
    assert "b 60 %, a 40 %" in detail_text.origin(KEY, TOLD, replace(SAID, weights={"a": 0.4, "b": 0.6}))
    silent = replace(SAID, quantiles=None, mean=None)
    assert "had no forecast at this bar" in detail_text.forecast(TOLD, silent, Clock())


def test_the_steps_lead_from_the_base_to_the_total() -> None:
    made = steps(EXPLANATION)
    assert [one.name for one in made] == ["base", "rsi_14", "over the window", "total"]
    for one, following in pairwise(made[:-1]):
        assert following.before == pytest.approx(one.after)
    assert made[-2].after == pytest.approx(made[-1].after) == pytest.approx(1.0), "bp of the mean"


def test_many_inputs_are_summed_and_a_remainder_is_a_step() -> None:
    many = tuple(Contribution(f"x{place}", 1.0, 0.01) for place in range(20))
    made = steps(replace(EXPLANATION, contributions=many, base=0.0, total=0.25, quantity="log variance"))
    assert [one.name for one in made][-3:] == ["8 others", "rounding", "total"]
    assert made[-2].after == pytest.approx(0.25)


def test_a_forecast_that_comes_out_otherwise_than_published_is_told() -> None:
    assert "as published" in comparison(EXPLANATION, 0.0001, 2_880)
    assert "published: \u22121.00 bp" in comparison(EXPLANATION, -0.0001, 2_880)
    assert "2,880 bars before" in comparison(EXPLANATION, None, 2_880)


def test_the_most_unusual_inputs_come_first_and_why_none_is_known_is_said(tmp_path: Path) -> None:
    found = inputs.build(tmp_path, ("gbm", "0123456789ab"), "print", ["a", "b"], [1.0, None])
    assert [one.value for one in found.values] == [1.0, None]
    assert "not stored for version 0123456789ab" in found.note
    assert "names of definition" in inputs.build(tmp_path, None, "other", None, [1.0]).note
    assert "no training data" in inputs.build(tmp_path, None, "print", ["a"], [1.0]).note


def test_a_version_that_is_gone_is_said_without_a_database(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="postgresql://127.0.0.1:1/none")
    found = version_details.explain(settings, "gbm", "0123456789ab", "BTCUSDT", "1m", 15, MADE)
    assert "0123456789ab of gbm is no longer on disk" in found.error
    with pytest.raises(ValueError, match="no version"):
        version_details.explain(settings, "gbm", "../..", "BTCUSDT", "1m", 15, MADE)


def test_an_explanation_comes_back_from_its_process_as_it_was() -> None:
    sent = msgspec.msgpack.encode(LoadedDetails(explanation=EXPLANATION, bars=7))
    found = msgspec.msgpack.decode(sent, type=LoadedDetails).explanation
    assert found is not None
    assert np.isnan(found.contributions[1].value), "unknown, which JSON has no number for"
    assert found.remainder == EXPLANATION.remainder


def test_the_command_line_warms_up_by_as_many_bars() -> None:
    assert inspect.signature(explain).parameters["warm_up"].default == WARM_UP

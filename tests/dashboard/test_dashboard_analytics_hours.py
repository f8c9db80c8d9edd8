"""The hours of Analytics are read again where they may have changed, and their curve is a rolling sum."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
import pytest
from dashboard_market import Market as Written
from judged_market import CHAMPION, FIRST, MINUTE, JudgedMarket
from msgspec.structs import replace
from storing import store
from waiting import until

from dashboard.analytics.hourly_scores import LEAST_SCORED, WHOLE_S, Sums, curve
from dashboard.analytics.scores_reader import SUMS_S, Scores, ScoresSource
from dashboard.analytics.source import reader
from dashboard.analytics.view_state import WINDOWS, Market, Window
from dashboard.database import PLANNED_EACH_TIME, connected
from topics.catalog import OUTCOMES

MINUTES = 500
HOUR_S = 3600
ALL = Market(symbol=None, horizon=15, window=WINDOWS[0])


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def judged() -> JudgedMarket:
    return JudgedMarket(MINUTES)


@pytest.fixture
def url(judged: JudgedMarket, new_market: Callable[[], Written]) -> str:
    url = new_market().url
    judged.store(url)
    return url


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection]:
    with connected(url, more=PLANNED_EACH_TIME) as connection:
        yield connection


def scored(scores: Scores, model: str) -> int:
    return sum(row.scored for row in scores.board if (row.model, row.horizon) == (model, 15))


@pytest.mark.services
def test_the_newest_hours_are_read_each_time_and_the_older_ones_once_a_minute(
    connection: psycopg.Connection, url: str, judged: JudgedMarket
) -> None:
    clock = Clock()
    source = ScoresSource(connection, "1m", clock)
    first = source.read(ALL)
    assert source.read(ALL) is first, "what has not changed is another object: each page would draw it again"
    assert first.changed is None
    outcomes = judged.of("gbm", 15)
    last = max(outcomes, key=lambda one: one.time)
    store(url, {OUTCOMES: [replace(last, time=last.time + MINUTE, target_time=last.target_time + MINUTE)]})
    clock.now += SUMS_S / 10
    second = source.read(ALL)
    assert scored(second, "gbm") == scored(first, "gbm") + 1
    assert second.curves["gbm"]["scored"][-1] == first.curves["gbm"]["scored"][-1] + 1
    assert second.changed == clock.now
    late = [replace(one, model="late") for one in outcomes if one.time < FIRST + 60 * MINUTE]
    store(url, {OUTCOMES: late})
    assert scored(source.read(ALL), "late") == 0
    clock.now += WHOLE_S
    assert scored(source.read(ALL), "late") == len(late) == 2 * 60


@pytest.mark.services
def test_scores_that_change_behind_the_newest_forecast_are_known(url: str, judged: JudgedMarket) -> None:
    """Another symbol's outcome of the same bar: of what was read before, only a curve differs."""
    polled = reader(url, lambda connection: ScoresSource(connection, "1m"), ScoresSource.read, 0.01)
    polled.start()
    try:
        until(lambda: polled.view(ALL).value is not None, 30, "the reader has an answer")
        first = polled.view(ALL).value
        assert first is not None
        last = max(judged.of("gbm", 15), key=lambda one: one.time)
        store(url, {OUTCOMES: [replace(last, symbol="LATEUSDT")]})

        def later() -> bool:
            now = polled.view(ALL)
            assert now.error is None
            return now.value is not None and scored(now.value, "gbm") == scored(first, "gbm") + 1

        until(later, 30, "the late outcome is counted")
        assert polled.failing is None
    finally:
        polled.stop()


@pytest.mark.services
def test_another_market_has_hours_of_its_own(connection: psycopg.Connection, judged: JudgedMarket) -> None:
    source = ScoresSource(connection, "1m")
    both, eth = source.read(ALL), source.read(Market(symbol="ETHUSDT", horizon=1, window=WINDOWS[1]))
    assert scored(both, "gbm") == len(judged.of("gbm", 15))
    assert scored(eth, "gbm") == len(judged.of("gbm", 15, "ETHUSDT", CHAMPION))
    assert eth.curves["gbm"]["scored"][-1] == len(judged.of("gbm", 1, "ETHUSDT", CHAMPION))


@pytest.mark.services
def test_a_statement_is_planned_for_its_span_however_often_it_ran(url: str) -> None:
    def plan_cache_mode(connection: psycopg.Connection, _: str) -> str:
        return str((connection.execute("SHOW plan_cache_mode").fetchone() or ("",))[0])

    polled = reader(url, lambda connection: connection, plan_cache_mode, 0.01)
    polled.start()
    try:
        until(lambda: polled.view("key").value is not None, 30, "the reader has an answer")
        assert polled.view("key").value == "force_custom_plan"
    finally:
        polled.stop()


def sums(count: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(LEAST_SCORED, 2 * LEAST_SCORED, (count, len(Sums._fields)))


@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: window.name)
def test_each_point_is_of_the_hours_that_end_with_its_step(window: Window) -> None:
    newest = datetime(2025, 6, 10, 13, 20, tzinfo=UTC)
    begin = (newest - window.length - window.rolling).replace(minute=0)
    hours = np.array([begin.timestamp() + HOUR_S * hour for hour in range(40 * 24)], dtype=np.int64)
    ago = newest.timestamp() - hours
    hours = hours[(ago >= 0) & (ago // HOUR_S % 7 != 3)]  # an hour in seven has none
    of_hours = sums(len(hours))
    drawn = curve(hours, of_hours, window, newest)
    step = window.step.total_seconds()
    assert drawn["time"][-1] == newest.timestamp() * 1000
    for place in (0, len(drawn["time"]) // 2, -2):
        end = drawn["time"][place] / 1000
        within = of_hours[(hours >= end - window.rolling.total_seconds()) & (hours < end)]
        of = Sums(*within.sum(axis=0))
        assert end % step == 0
        assert drawn["scored"][place] == pytest.approx(of.scored)
        assert drawn["skill"][place] == pytest.approx(1 - of.pinball / of.naive_pinball)
        assert drawn["coverage"][place] == pytest.approx(of.hits / of.intervals)
    assert drawn["time"][0] / 1000 >= (newest - window.length).timestamp()


def test_too_few_forecasts_are_no_point_and_nothing_to_compare_with_is_unknown() -> None:
    window, newest = WINDOWS[0], datetime(2025, 6, 10, 13, tzinfo=UTC)
    hours = np.array([(newest - timedelta(hours=back)).timestamp() for back in (20, 1)], dtype=np.int64)
    few = Sums(LEAST_SCORED - 1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    alone = Sums(LEAST_SCORED, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0)
    drawn = curve(hours, np.array([few, alone]), window, newest)
    assert drawn["scored"].tolist() == [LEAST_SCORED]
    assert np.isnan(drawn["skill"]).all()
    assert np.isnan(drawn["coverage"]).all()

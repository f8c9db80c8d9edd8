"""What the reader reads again, and when: on a real TimescaleDB."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from dashboard_market import FIRST, MINUTE, Market

from dashboard.live.columns import Columns
from dashboard.live.feed import BUSY, PAST_S, PERIOD_S, Feed
from dashboard.live.score_feed import ScoreFeed
from dashboard.live.series_reader import Key, Snapshot, read_scores, read_snapshot
from dashboard.live.timeframes import Window
from dashboard.live.view_state import BarSeries

pytestmark = pytest.mark.services

BTC = BarSeries("BTCUSDT", "1m")
WAIT_S = 15.0
LOSE = """
DELETE FROM prediction_rows AS p USING series AS s
WHERE p.series_id = s.series_id AND s.symbol = 'BTCUSDT' AND s.model = %(model)s
    AND p.time = (SELECT max(time) FROM bars WHERE symbol = 'BTCUSDT')
"""
"""Takes back what one model has said of the newest bar."""


@pytest.fixture
def market(new_market: Callable[[], Market]) -> Market:
    market = new_market()
    market.write(30, ("BTCUSDT",))
    return market


@pytest.fixture
def feed(market: Market) -> Iterator[Feed]:
    feed = Feed(market.url)
    feed.start()
    yield feed
    feed.stop()


def key(end: int | None) -> Key:
    return Key(series=BTC, model="gbm", horizon=1, span=180, window=Window(20, end, "1m"))


def read(feed: Feed, end: int | None, wanted: Callable[[Snapshot], bool]) -> Snapshot:
    """Ask until what is known is as it is wanted."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        snapshot = feed.view(key(end)).snapshot
        if snapshot is not None and wanted(snapshot):
            return snapshot
        time.sleep(0.05)
    raise AssertionError("it was not read")


def scored(snapshot: Snapshot) -> bool:
    return snapshot.scores is not None


def test_the_newest_are_read_as_they_come_and_the_past_is_left_alone(feed: Feed, market: Market) -> None:
    past = FIRST + 15 * MINUTE
    began = time.monotonic()
    first = read(feed, past, scored)
    before = read(feed, None, lambda _: True)
    market.write(1, ("BTCUSDT",))
    after = read(feed, None, lambda snapshot: snapshot.newest != before.newest)
    assert after.bars["time"][-1] == before.bars["time"][-1] + MINUTE
    if time.monotonic() - began < PAST_S:  # else the machine was too slow to tell
        assert feed.view(key(past)).snapshot is first
    again = read(feed, past, lambda snapshot: snapshot is not first)  # nothing that is stored late is missed
    assert again.bars["time"].tolist() == first.bars["time"].tolist()
    assert again.latest.close == after.latest.close


def test_a_window_that_reaches_to_the_newest_bar_is_read_as_it_comes(feed: Feed, market: Market) -> None:
    end = FIRST + 40 * MINUTE
    before = read(feed, end, lambda _: True)
    past = read(feed, FIRST + 25 * MINUTE, scored)
    began = time.monotonic()
    market.write(1, ("BTCUSDT",))
    read(feed, end, lambda snapshot: snapshot.bars["time"][-1] > before.bars["time"][-1])
    if time.monotonic() - began < PAST_S / 2:  # else the machine was too slow to tell
        assert feed.view(key(FIRST + 25 * MINUTE)).snapshot is past


def test_where_no_forecast_has_come_true_the_scores_are_known_to_be_none(new_market: Callable[[], Market]) -> None:
    market = new_market()
    market.write(1, ("BTCUSDT",))
    feed = Feed(market.url)
    feed.start()
    try:
        assert read(feed, None, scored).scores == {}
    finally:
        feed.stop()


def test_bars_do_not_wait_for_scores_which_come_and_grow(market: Market) -> None:
    held = threading.Event()

    def slowly(*arguments: Any) -> dict[str, Columns]:
        assert held.wait(WAIT_S)
        return read_scores(*arguments)

    feed = Feed(market.url, ScoreFeed(market.url, slowly))
    feed.start()
    try:
        before = read(feed, None, lambda _: True)
        market.write(1, ("BTCUSDT",))
        assert read(feed, None, lambda snapshot: snapshot.newest != before.newest).scores is None
        held.set()
        first = read(feed, None, scored)
        market.write(60, ("BTCUSDT",))
        read(feed, None, lambda snapshot: snapshot.scores not in (None, first.scores))
    finally:
        feed.stop()


class Looking:
    """A viewer that notes when it was woken."""

    def __init__(self) -> None:
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


def test_who_looks_at_a_key_is_woken_by_what_is_new_of_it(feed: Feed, market: Market) -> None:
    looking, elsewhere = Looking(), Looking()
    before = read(feed, None, scored)
    past = read(feed, FIRST + 15 * MINUTE, scored)
    assert feed.view(key(None), looking).snapshot is before
    assert feed.view(key(FIRST + 15 * MINUTE), elsewhere).snapshot is past
    began = time.monotonic()
    market.write(1, ("BTCUSDT",))
    while not looking.woken:
        assert time.monotonic() < began + WAIT_S
        time.sleep(0.02)
    assert feed.view(key(None)).snapshot is not before
    if time.monotonic() - began < PAST_S / 2:  # else the past may have been read again
        assert elsewhere.woken == 0


def test_what_other_series_get_is_hardly_a_reason_to_read_a_key_again(feed: Feed, market: Market) -> None:
    before, began = read(feed, None, scored), time.monotonic()
    other, serials = replace(market, stored=0), {before.serial}
    for _ in range(6):
        other.write(1, ("ETHUSDT",))
        time.sleep(3 * PERIOD_S)
        serials.add(read(feed, None, lambda _: True).serial)
    if time.monotonic() - began < PAST_S:  # else the machine was too slow to tell
        assert len(serials) <= 2, "once at most, for what may have been stored late"


def test_a_forecast_of_another_model_for_the_newest_bar_is_read_as_it_comes(feed: Feed, market: Market) -> None:
    first = read(feed, None, scored)
    other = next(model for model in first.models if model != "gbm")
    with psycopg.connect(market.url, autocommit=True) as connection:
        connection.execute(LOSE, {"model": other})
    after = read(feed, None, lambda snapshot: snapshot.newest != first.newest)
    known = first.newest
    assert after.newest == replace(known, reached=after.newest.reached), "the newest of all models is what it was"


def test_what_arrives_is_of_the_series_whatever_part_or_horizon_is_looked_at(feed: Feed, market: Market) -> None:
    before = read(feed, None, lambda _: True)
    assert feed.view(key(None)).age_s is None
    market.write(1, ("BTCUSDT",))
    read(feed, None, lambda snapshot: snapshot.newest != before.newest)
    for end in (None, FIRST + 20 * MINUTE):
        view = feed.view(key(end))
        assert view.age_s is not None
        assert view.forecast_age_s is not None
        assert view.newest is not None
        assert view.answer_age_s < WAIT_S


def test_a_database_that_falls_silent_is_told_by_the_age_of_its_last_answer(feed: Feed, market: Market) -> None:
    read(feed, None, lambda _: True)
    with psycopg.connect(market.url) as connection:
        connection.execute("LOCK TABLE bars IN ACCESS EXCLUSIVE MODE")
        until = time.monotonic() + WAIT_S
        while feed.view(key(None)).answer_age_s < 4 * PERIOD_S:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert feed.view(key(None)).snapshot is not None  # what it said before is kept
    while feed.view(key(None)).answer_age_s > 2 * PERIOD_S:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_one_slow_read_does_not_keep_the_next_bar_waiting_and_two_do(
    feed: Feed, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    past, slow_s, ends = FIRST + 15 * MINUTE, 1.5, list[float]()

    def slowly(connection: Any, wanted: Key, *arguments: Any) -> Snapshot:
        if wanted == key(None):
            time.sleep(slow_s)
            ends.append(time.monotonic())
        return read_snapshot(connection, wanted, *arguments)

    def written(ticks: int) -> Snapshot:
        market.write(1, ("BTCUSDT",))
        feed.view(key(past))  # the second of two keys, which share the reader's time
        return read(feed, None, lambda one: one.bars["time"][-1] == before.bars["time"][-1] + ticks * MINUTE)

    before = read(feed, None, lambda _: True)
    read(feed, past, scored)
    monkeypatch.setattr("dashboard.live.feed.read_snapshot", slowly)
    for ticks in (1, 2, 3):
        written(ticks)
    first, second, third = ends
    assert second - first < 2 * slow_s / BUSY <= third - second


def test_a_key_that_is_not_understood_says_so_until_it_is_and_the_others_go_on(
    feed: Feed, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = {BTC.symbol}

    def read_odd(connection: psycopg.Connection, key: Key, *more: Any) -> Snapshot | None:
        if key.series.symbol in odd:
            raise ValueError("an odd row")
        return read_snapshot(connection, key, *more)

    monkeypatch.setattr("dashboard.live.feed.read_snapshot", read_odd)
    monkeypatch.setattr("dashboard.live.feed.RETRY_S", 1.0)
    market.write(30, ("ETHUSDT",))
    other = replace(key(None), series=BarSeries("ETHUSDT", "1m"))
    ends = time.monotonic() + WAIT_S
    while feed.view(key(None)).failure is None or feed.view(other).snapshot is None:
        assert time.monotonic() < ends
        time.sleep(0.05)
    for _ in range(5):  # looks that read nothing do not take it back
        time.sleep(0.1)
        view = feed.view(key(None))
        assert "ValueError: an odd row" in str(view.failure)
        assert (view.error, view.snapshot) == (None, None)
        assert feed.view(other).failure is None
    assert feed.failing == "ValueError: an odd row"
    odd.clear()
    read(feed, None, lambda _: True)
    assert feed.view(key(None)).failure is None

"""A replay shows at each step what was known then and nothing else, says so, and is never live."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg
import pytest
from dashboard_market import FIRST, MINUTE, Market, serving
from past_market import happen
from playwright.sync_api import Page, expect

from dashboard.live.past_view import written
from dashboard.live.replay.reader import ReplaySource, read
from dashboard.live.series_reader import Key, Snapshot, read_newest, read_scores, read_snapshot
from dashboard.live.timeframes import Window, newest
from dashboard.live.view_state import BarSeries

services = pytest.mark.services
browser = pytest.mark.browser

STORED = 1_600
WAIT_MS = 20_000
BTC = BarSeries("BTCUSDT", "1m")
PLOT = "name => Bokeh.documents[0].get_model_by_name(name)"
TIMES = f"() => Array.from(({PLOT})('price').renderers[0].data_source.data.time)"
FAN = f"() => Array.from(({PLOT})('price').renderers[1].data_source.data.time)"
EVENTS = f"() => Array.from(({PLOT})('events').renderers[1].data_source.data.time)"


def key(span: int, until: int | None = None) -> Key:
    return Key(series=BTC, model="gbm", horizon=15, span=span, window=newest("1m", span), until=until)


def now(connection: psycopg.Connection, key: Key) -> Snapshot:
    """Return what the page shows now."""
    at = read_newest(connection, BTC)
    snapshot = read_snapshot(connection, key, at, read_scores(connection, key, at), 1)
    assert snapshot is not None
    return snapshot


def same(one: Any, other: Any) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-9, err_msg=name)


@services
@pytest.mark.parametrize("minutes", [420, 777, 1_500])
def test_what_was_known_then_is_what_the_page_showed_then(new_market: Callable[[], Market], minutes: int) -> None:
    market = new_market()
    market.write(minutes, ("BTCUSDT",))
    happen(market, minutes - 1)
    with psycopg.connect(market.url, autocommit=True) as connection:
        shown = {span: now(connection, key(span)) for span in (180, 2_880)}
        market.write(200, ("BTCUSDT",))
        source = ReplaySource(connection)
        for span, then in shown.items():
            replayed = read(source, key(span, FIRST + minutes * MINUTE))
            assert replayed is not None
            same(replayed.bars, then.bars)
            same(replayed.fan, then.fan)
            assert (replayed.runs, replayed.regime, replayed.latest) == (then.runs, then.regime, then.latest)
            assert (replayed.alarm, replayed.models, replayed.behind) == (then.alarm, then.models, then.behind)
            assert replayed.newest == replace(then.newest, outcome=replayed.newest.outcome, reached=0.0)
            assert replayed.scores.keys() == then.scores.keys() != set()
            for model, scores in replayed.scores.items():
                full = {name: column[: len(scores["time"])] for name, column in then.scores[model].items()}
                same({name: scores[name][:-1] for name in scores}, {name: full[name][:-1] for name in scores})
                assert len(then.scores[model]["time"]) - len(scores["time"]) in (0, 1)


@services
def test_a_bar_is_not_known_before_it_has_ended(new_market: Callable[[], Market]) -> None:
    market = new_market()
    market.write(60, ("BTCUSDT",))
    with psycopg.connect(market.url, autocommit=True) as connection:
        source = ReplaySource(connection)
        assert read(source, key(180, FIRST)) is None
        (first, second) = (read(source, key(180, FIRST + bars * MINUTE)) for bars in (1, 2))
    assert first is not None
    assert second is not None
    assert first.bars["time"].tolist() == [FIRST]
    assert second.newest.bar == second.newest.prediction == datetime.fromtimestamp((FIRST + MINUTE) / 1000, UTC)


@services
def test_a_view_that_reaches_beyond_the_moment_is_of_then_too(new_market: Callable[[], Market]) -> None:
    market = new_market()
    market.write(120, ("BTCUSDT",))
    wide = replace(key(180, FIRST + 60 * MINUTE), window=Window(100, FIRST + 119 * MINUTE, "1m"))
    with psycopg.connect(market.url, autocommit=True) as connection:
        snapshot = read(ReplaySource(connection), wide)
    assert snapshot is not None
    assert snapshot.bars["time"][-1] == snapshot.fan["time"][0] == FIRST + 59 * MINUTE
    assert snapshot.runs[-1].end == FIRST + 60 * MINUTE


@pytest.fixture(scope="module")
def market(new_market: Callable[[], Market]) -> Market:
    market = new_market()
    market.write(STORED, ("BTCUSDT",))
    happen(market, STORED - 1)
    return market


@pytest.fixture(scope="module")
def dashboard(market: Market, servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(market.url, servers.kafka, tmp_path_factory.mktemp("home"), "--stale-after", "3600") as address:
        yield address


def at(minute: int) -> str:
    return written(FIRST + minute * MINUTE).replace(":", "%3A")


def shown(page: Page, minute: int) -> None:
    """Wait until the page shows what was known at that minute."""
    page.wait_for_function(f"time => ({TIMES})().at(-1) === time", arg=FIRST + (minute - 1) * MINUTE, timeout=WAIT_MS)


def played(page: Page, minute: int) -> None:
    """Wait until a replay that plays has come to that minute or past it: it need not show each."""
    page.wait_for_function(f"time => ({TIMES})().at(-1) >= time", arg=FIRST + (minute - 1) * MINUTE, timeout=WAIT_MS)


def opened(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function(f"Bokeh.documents.length && ({TIMES})().length > 0", timeout=WAIT_MS)


def clock(minute: int) -> str:
    time = datetime.fromtimestamp(FIRST / 1000 + 60 * minute, UTC)
    return f"replay of {time.day} {time:%B %Y %H:%M} UTC"


@services
@browser
@pytest.mark.long
def test_a_replay_plays_from_the_first_moment_of_what_is_in_view_and_ends(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    page.get_by_role("button", name="Replay", exact=True).click()
    badge = page.get_by_role("status")
    expect(badge).to_contain_text(clock(STORED - 180), timeout=WAIT_MS)
    expect(badge).to_contain_text("paused")
    shown(page, STORED - 180)
    assert page.evaluate(FAN)[0] == page.evaluate(TIMES)[-1]
    assert all(time <= FIRST + (STORED - 180) * MINUTE for time in page.evaluate(EVENTS))
    expect(page.locator("p.forecast")).not_to_contain_text("Old")
    page.get_by_role("button", name="60/s", exact=True).click()
    page.get_by_role("button", name="▶ Play").click()
    expect(badge).to_contain_text("60 bars a second", timeout=WAIT_MS)
    shown(page, STORED)
    expect(badge).to_contain_text(clock(STORED), timeout=WAIT_MS)
    expect(badge).to_contain_text("paused")
    page.wait_for_function(f"({EVENTS})().length > 5", timeout=WAIT_MS)
    page.get_by_role("button", name="Leave replay").click()
    expect(badge).not_to_contain_text(re.compile("replay of .* UTC"), timeout=WAIT_MS)
    expect(page).not_to_have_url(re.compile("replay="))


@services
@browser
def test_at_each_step_bars_fan_and_outcomes_are_of_then(page: Page, dashboard: str) -> None:
    opened(page, f"{dashboard}?at={at(700)}&replay={at(650)}")
    shown(page, 650)
    expect(page.get_by_role("status")).to_contain_text(clock(650))
    expect(page.locator(".headline")).to_contain_text("18 May 2025 10:49 UTC")
    assert page.evaluate(FAN)[0] == FIRST + 649 * MINUTE
    play = page.get_by_role("button", name="▶ Play")
    page.get_by_role("button", name="16/s", exact=True).click()
    play.click()
    page.wait_for_function(
        f"""time => new Promise(done => {{
          let steps = 0
          const look = () => {{
            const last = ({TIMES})().at(-1), fan = ({FAN})()[0]
            if (fan > last) done('a forecast of later than ' + new Date(last).toISOString())
            if (last > time && ++steps > 20) done('')
            setTimeout(look, 50)
          }}
          look()
        }}).then(found => {{ if (found) throw new Error(found); return true }})""",
        arg=FIRST + 660 * MINUTE,
        timeout=WAIT_MS,
    )
    page.get_by_role("button", name="❚❚ Pause").click()
    page.wait_for_url(re.compile(r"replay=2025-05-18T1[0-9]%3A"))
    expect(page.get_by_role("status")).to_contain_text("paused")
    badge = page.get_by_role("status").inner_text()
    page.wait_for_timeout(700)
    assert page.get_by_role("status").inner_text() == badge
    page.reload()
    expect(page.get_by_role("status")).to_contain_text(re.sub(r"\s*paused.*", "", badge), timeout=WAIT_MS)


@services
@browser
def test_a_pause_stops_at_what_is_seen_though_a_step_is_still_being_read(
    page: Page, dashboard: str, market: Market
) -> None:
    opened(page, f"{dashboard}?at={at(700)}&replay={at(650)}")
    shown(page, 650)
    badge = page.get_by_role("status")
    page.get_by_role("button", name="4/s", exact=True).click()
    page.get_by_role("button", name="▶ Play").click()
    played(page, 652)
    with psycopg.connect(market.url) as connection:
        connection.execute("LOCK TABLE bars IN ACCESS EXCLUSIVE MODE")
        page.wait_for_timeout(700)
        seen = badge.inner_text().splitlines()[0]
        page.get_by_role("button", name="❚❚ Pause").click()
        expect(badge).to_contain_text("paused")
        assert badge.inner_text().splitlines()[0] == seen
    page.wait_for_timeout(700)
    assert badge.inner_text().splitlines() == [seen, "paused"]


@services
@browser
@pytest.mark.long
def test_the_slider_and_the_buttons_are_reached_by_keyboard(page: Page, dashboard: str) -> None:
    opened(page, f"{dashboard}?at={at(700)}&replay={at(650)}")
    shown(page, 650)
    handle = page.get_by_role("slider", name="Moment of the replay")
    handle.focus()
    page.keyboard.press("ArrowRight")
    shown(page, 651)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    shown(page, 649)
    page.wait_for_url(re.compile(f"replay={at(649)}"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="▶ Play")).to_be_focused()
    page.keyboard.press("Enter")
    played(page, 655)


@services
@browser
@pytest.mark.long
def test_back_leads_out_of_a_replay_and_forward_into_it(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    page.get_by_role("button", name="Replay", exact=True).click()
    shown(page, STORED - 180)
    page.go_back()
    shown(page, STORED)
    expect(page.get_by_role("slider")).not_to_be_visible()
    page.go_forward()
    shown(page, STORED - 180)


@services
@browser
@pytest.mark.long
def test_what_comes_meanwhile_is_not_shown_and_leaving_shows_it(
    page: Page, new_market: Callable[[], Market], servers: Any, tmp_path: Any
) -> None:
    market = new_market()
    market.write(300, ("BTCUSDT",))
    with serving(market.url, servers.kafka, tmp_path, "--stale-after", "3600") as address:
        opened(page, f"{address}?at={at(200)}&replay={at(220)}")
        shown(page, 220)
        market.write(3, ("BTCUSDT",))
        page.wait_for_timeout(1_500)
        shown(page, 220)
        expect(page.locator("body")).to_have_attribute("data-state", "replay")
        page.get_by_role("button", name="Leave replay").click()
        shown(page, 303)
        page.goto("about:blank")

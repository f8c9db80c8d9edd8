"""What the page makes of what its reader knows, without a browser: the reader is a fake that knows it at once."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bokeh.document import Document
from dashboard_snapshot import snapshot

from dashboard.live.feed import View
from dashboard.live.page import Page
from dashboard.live.rate_meter import Rates
from dashboard.live.series_reader import Key, Newest, Snapshot
from dashboard.palette import LIGHT
from dashboard.service import PageRequest
from models.colours import COLOURS

BARS = ("time", "start", "open", "high", "low", "close", "volume", "lower", "upper", "realised", "hit", "made")


def known(**more: Any) -> Snapshot:
    """Return a snapshot of two models whose forecast is of the newest bar."""
    bars = {name: np.array([1.0, 2.0]) for name in BARS}
    shown = snapshot(models=("gbm", "naive"), bars=bars, scores={}, **more)
    newest = shown.newest.prediction
    return (
        replace(shown, newest=Newest(bar=newest, prediction=newest, outcome=None, regime=None))
        if "newest" not in more
        else shown
    )


class KnownFeed:
    """A reader that has the snapshot of any key already, as after a reload, and to which nothing comes."""

    def __init__(self, shown: Snapshot) -> None:
        self.shown, self.asked = shown, list[Key | None]()

    def view(self, key: Key | None, viewer: Any = None) -> View:  # noqa: ARG002 - the feed's interface
        self.asked.append(key)
        return View(
            error=None,
            read=True,
            answer_age_s=0.0,
            series=(self.shown.key.series,),
            rates=Rates(),
            snapshot=None if key is None else replace(self.shown, key=key),
            newest=None if key is None else self.shown.newest,
            age_s=None,
            forecast_age_s=None,
            watched_s=0.0,
        )


class NoLag:
    """Knows of no component."""

    def now(self) -> dict[str, Any]:
        return {}

    def conditions(self) -> tuple[()]:
        return ()

    def problem(self) -> str:
        return ""


def opened(shown: Snapshot, **query: str) -> tuple[Page, KnownFeed]:
    feed: Any = KnownFeed(shown)
    lag: Any = NoLag()
    request = PageRequest(arguments={name: [value.encode()] for name, value in query.items()}, system="light")
    document = Document()
    with document.models.freeze():  # as the server does
        page = Page(document, feed, lag, "1m", request)
    return page, feed


def fan_colours(page: Page) -> set[str]:
    return {getattr(glyph, "fill_color", None) or glyph.line_color for glyph in page.drawing.market.glyphs["fan"][:3]}


@pytest.mark.parametrize("query", [{}, {"symbol": "BTCUSDT", "model": "gbm"}])
def test_what_the_reader_knows_already_is_in_colour_at_the_first_look(query: dict[str, str]) -> None:
    page, _ = opened(known(), **query)
    page.tick()
    assert fan_colours(page) == {COLOURS["gbm"].light}
    assert COLOURS["gbm"].light in page.texts["price_title"].text
    for model in ("gbm", "naive"):
        assert f'stroke="{COLOURS[model].light}"' in page.texts["skill_title"].text


def test_a_fan_that_is_left_behind_is_grey() -> None:
    page, _ = opened(snapshot(bars={name: np.array([1.0, 2.0]) for name in BARS}, scores={}))
    page.tick()
    assert fan_colours(page) == {LIGHT.muted}
    assert "Old forecast" in page.texts["forecast_words"].text
    assert page.bridge.state != "live"


def test_what_was_read_again_and_is_the_same_is_not_sent_again() -> None:
    page, feed = opened(known())
    page.tick()
    sent = list[object]()
    page.document.on_change(sent.append)
    feed.shown = replace(feed.shown, serial=feed.shown.serial + 1)
    page.tick()
    assert sent == []
    fan = {name: column + 1.0 for name, column in feed.shown.fan.items()}
    feed.shown = replace(feed.shown, serial=feed.shown.serial + 1, fan=fan)
    page.tick()
    assert sent != []


def test_a_button_of_a_legend_switches_a_layer_and_is_a_step_of_the_history() -> None:
    page, _ = opened(known())
    page.tick()
    page.bridge.pressed = "layer:q05"
    assert [one.visible for one in page.drawing.market.layers["q05"]] == [False, False]
    assert "hide=q05" in page.bridge.query
    assert page.bridge.pushed == page.bridge.query
    assert page.bridge.pressed == ""
    page.bridge.pressed = "layer:nonsense"
    assert page.choice.hidden == frozenset({"q05"})


def test_the_address_that_is_gone_back_to_is_no_step_of_its_own() -> None:
    page, feed = opened(known())
    page.tick()
    pushed = page.bridge.pushed
    page.bridge.visited = "?symbol=BTCUSDT&horizon=60&model=naive&span=12h"
    key = feed.asked[-1]
    assert key is not None
    assert (key.model, key.horizon, key.span) == ("naive", 60, 720)
    assert (page.choosers.model.value, page.choosers.span.active) == ("naive", 1)
    assert page.bridge.pushed == pushed


def test_a_view_of_the_past_asks_for_it_and_a_reset_for_the_newest() -> None:
    page, feed = opened(known())
    page.tick()
    x_range = page.drawing.market.x_range
    reset = x_range.reset_start, x_range.reset_end
    x_range.start, x_range.end = x_range.start - 6e8, x_range.end - 6e8
    page.tick()
    assert feed.asked[-1] is not None
    assert feed.asked[-1].window.end is not None
    x_range.start, x_range.end = reset
    page.tick()
    assert feed.asked[-1] is not None
    assert feed.asked[-1].window.end is None


class Session:
    """What a page asks of its session: whether it has ended."""

    destroyed = False


def test_a_page_that_is_woken_looks_once_and_not_after_its_session_has_ended() -> None:
    asyncio.run(wakened())


async def wakened() -> None:
    page, feed = opened(known())
    session = Session()
    vars(page.document)["_session_context"] = lambda: session  # as Bokeh's server sets it
    looked, timed = len(feed.asked), set(page.document.session_callbacks)
    page.wake()
    page.wake()
    await asyncio.sleep(0)
    (woken,) = set(page.document.session_callbacks) - timed
    woken.callback()
    assert len(feed.asked) > looked
    await asyncio.to_thread(page.wake)  # as the reader does
    await asyncio.sleep(0)
    again = set(page.document.session_callbacks)
    assert len(again - timed - {woken}) == 1
    page.wake()
    session.destroyed = True  # before the loop has come to it
    await asyncio.sleep(0)
    assert set(page.document.session_callbacks) == again

"""The page in Chromium, on its real server and a real TimescaleDB."""

import io
import json
import math
import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dashboard_market import BARS_STORED, GAP, Market, serving
from PIL import Image
from playwright.sync_api import Page, expect
from psycopg import sql

from dashboard.palette import DARK, LIGHT
from dashboard.site import PAGES
from models.colours import COLOURS

pytestmark = [pytest.mark.services, pytest.mark.browser]

SPAN = 180
DRAWN = """name => Array.from(Bokeh.documents[0].get_model_by_name('price').renderers[0].data_source.data[name])"""
FAN = """name => Array.from(Bokeh.documents[0].get_model_by_name('price').renderers[1].data_source.data[name])"""
RANGE = "() => {const x = Bokeh.documents[0].get_model_by_name('price').x_range; return [x.start, x.end]}"
LEAVE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user"
WAIT_MS = 15_000
SHOWN = re.compile("waiting|replay")
"""The states of data of the past while rows come, or may come."""
MLFLOW = "http://127.0.0.1:5999"
NOWHERE = "postgresql://me:s3cret@127.0.0.1:1/nowhere"


@pytest.fixture(scope="module")
def with_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard that knows of an MLflow; its header needs no database."""
    fields = {"FORETICK_MLFLOW_URI": MLFLOW.replace("//", "//foretick:s3cret@")}
    with serving(NOWHERE, "127.0.0.1:1", tmp_path_factory.mktemp("home"), more=fields) as address:
        yield address


def drawn(page: Page, name: str) -> list[float]:
    """Return a column of the candles' source, as the browser has it."""
    column: list[float] = page.evaluate(DRAWN, name)
    return column


def opened(page: Page, address: str, state: str | re.Pattern[str] = SHOWN) -> None:
    page.goto(address)
    expect(page.locator("body")).to_have_attribute("data-state", state, timeout=WAIT_MS)


def colours(page: Page, selector: str) -> set[str]:
    """Return the colours of what is seen there."""
    page.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(page.locator(selector).screenshot())).convert("RGB")
    return {"#{:02x}{:02x}{:02x}".format(*pixel) for _, pixel in picture.getcolors(1 << 24) or []}


def health(address: str) -> dict[str, str]:
    """Return what the server says of itself."""
    with urllib.request.urlopen(f"{address}health") as reply:  # noqa: S310 - http, loopback
        answer: dict[str, str] = json.load(reply)
    return answer


def choose(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_candles_forecasts_volume_and_regimes_are_drawn(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    times = drawn(page, "time")
    assert len(times) == SPAN - len(GAP)
    assert not any(math.isnan(value) for value in drawn(page, "close"))
    assert {1.0, 0.0} <= set(drawn(page, "hit"))
    assert len(page.evaluate(FAN, "time")) == 5
    assert {LIGHT.candle, LIGHT.hit_area, LIGHT.miss_area, LIGHT.miss} <= colours(page, ".plot.price")
    assert dict(LIGHT.regimes)["calm"] in colours(page, ".plot.ribbon")
    assert LIGHT.volume in colours(page, ".plot.volume")
    assert COLOURS["gbm"].light in colours(page, ".score:nth-of-type(2) .plot")


def test_the_texts_say_what_is_shown(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    for text in (
        "BTCUSDT",
        "USDT",
        "18 May 2025 06:39 UTC",
        "Regime",
        "gbm median",
        "chance of a rise, 90 % between",
        "Coverage of the 90 % interval",
        "rolling 1d",
        "Lag, store",
    ):
        expect(page.get_by_text(text, exact=False).first).to_be_visible(timeout=WAIT_MS)
    assert page.title().startswith("BTCUSDT ")


@pytest.mark.long
def test_another_horizon_changes_the_address_and_what_is_drawn(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    before = drawn(page, "lower")
    choose(page, "1h")
    page.wait_for_url(re.compile("horizon=60"))
    page.wait_for_function(f"before => JSON.stringify(({DRAWN})('lower')) !== JSON.stringify(before)", arg=before)
    widths = [upper - lower for lower, upper in zip(drawn(page, "lower"), drawn(page, "upper"), strict=True)]
    assert max(width for width in widths if not math.isnan(width)) > 100_000 * 0.02  # 2 x 1.6 x 0.001 x sqrt(60)


def test_a_reload_keeps_every_choice(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    page.locator("nav select").nth(0).select_option(label="ETHUSDT")
    page.wait_for_url(re.compile("symbol=ETHUSDT"))
    page.locator("nav select").nth(1).select_option(label="naive")
    for name in ("5m", "12h", "Dark"):
        choose(page, name)
    page.wait_for_url(re.compile("symbol=ETHUSDT&horizon=5&model=naive&span=12h&theme=dark"))
    page.reload()
    expect(page.locator("body")).to_have_attribute("data-state", SHOWN, timeout=WAIT_MS)
    chosen = "choosers => choosers.map(chooser => chooser.selectedOptions[0].label)"
    assert page.locator("nav select").evaluate_all(chosen)[:2] == ["ETHUSDT", "naive"]
    assert "symbol=ETHUSDT&horizon=5&model=naive&span=12h&theme=dark" in page.url
    assert len(drawn(page, "time")) == BARS_STORED - len(GAP)
    assert {DARK.card, DARK.candle} <= colours(page, ".market")


def test_an_address_that_means_nothing_here_is_said_and_the_default_shown(page: Page, dashboard: str) -> None:
    opened(page, f"{dashboard}?symbol=DOGE&horizon=7")
    expect(page.get_by_text("There is no DOGE in the database")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("horizon=7 in the address is not one of")).to_be_visible()
    page.wait_for_url(re.compile("symbol=BTCUSDT&horizon=15"))


@pytest.mark.long
def test_the_theme_follows_the_system_until_one_is_chosen(page: Page, dashboard: str) -> None:
    page.emulate_media(color_scheme="dark")
    opened(page, dashboard)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert {DARK.card, DARK.candle} <= colours(page, ".market")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert {LIGHT.card, LIGHT.candle} <= colours(page, ".market")
    choose(page, "Dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert {DARK.card, DARK.candle} <= colours(page, ".market")


def test_a_new_row_appears_without_a_reload_and_leaves_a_moved_view_alone(
    page: Page, dashboard: str, market: Market
) -> None:
    opened(page, dashboard)
    page.evaluate("window.unloaded = false")
    newest, (start, end) = drawn(page, "time")[-1], page.evaluate(RANGE)
    market.write(1)
    page.wait_for_function(f"newest => ({DRAWN})('time').at(-1) === newest + 60000", arg=newest, timeout=WAIT_MS)
    expect(page.get_by_role("status")).to_contain_text("replay of 18 May 2025")
    assert page.evaluate(RANGE) == [start + 60_000, end + 60_000]
    box = page.locator(".plot.price").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 250)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 250, steps=4)
    page.mouse.up()
    page.wait_for_timeout(1_000)
    moved = page.evaluate(RANGE)
    assert moved[0] < start
    market.write(1)
    page.wait_for_function(f"newest => ({DRAWN})('time').at(-1) === newest + 120000", arg=newest, timeout=WAIT_MS)
    assert page.evaluate(RANGE) == moved
    assert page.evaluate("window.unloaded") is False


@pytest.mark.long
def test_pointing_at_a_candle_shows_its_prices(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    box = page.locator(".plot.price").bounding_box()
    assert box is not None
    page.wait_for_timeout(1_000)
    page.mouse.move(box["x"] + 300, box["y"] + 250)
    for text in ("Open", "High", "Low", "Close", "Volume", "90 % interval"):
        expect(page.locator(".tip").get_by_text(text, exact=True)).to_be_visible(timeout=WAIT_MS)


def test_an_empty_database_says_what_to_do_and_fills_without_a_reload(
    page: Page, new_market: Callable[[], Market], servers: Any, tmp_path: Path
) -> None:
    market = new_market()
    with serving(market.url, servers.kafka, tmp_path) as address:
        opened(page, address, "blank")
        expect(page.get_by_text("No data yet")).to_be_visible(timeout=WAIT_MS)
        expect(page.get_by_text("./foretick replay FILE", exact=True)).to_be_visible()
        market.write(30, ("SOLUSDT",))
        expect(page.locator("body")).to_have_attribute("data-state", SHOWN, timeout=WAIT_MS)
        page.wait_for_url(re.compile("symbol=SOLUSDT"))
        assert len(drawn(page, "time")) == 30
        page.goto("about:blank")


def test_a_page_whose_rows_stop_coming_says_that_it_is_stale(
    page: Page, market: Market, servers: Any, tmp_path: Path
) -> None:
    with serving(market.url, servers.kafka, tmp_path, "--stale-after", "2") as address:
        opened(page, address, "stale")
        expect(page.get_by_role("status")).to_have_text("stale")
        expect(page.get_by_text("No new row for")).to_be_visible()
        assert len(drawn(page, "time")) > 0
        page.goto("about:blank")


def test_a_database_that_goes_away_is_said_and_one_that_comes_back_is_read(
    page: Page, new_market: Callable[[], Market], servers: Any, tmp_path: Path
) -> None:
    market = new_market()
    market.write(30)
    name = market.url.rsplit("/", 1)[1]
    with (
        serving(market.url, servers.kafka, tmp_path, "--stale-after", "3600") as address,
        psycopg.connect(servers.database_url, autocommit=True) as connection,
    ):
        opened(page, address)
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        connection.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        connection.execute(LEAVE, (name,))
        expect(page.locator("body")).to_have_attribute("data-state", "unreachable", timeout=WAIT_MS)
        expect(page.get_by_text(f"/{name} (").first).to_be_visible()
        assert len(drawn(page, "time")) == 30  # what was known stays, under a notice
        assert "No answer from" in health(address)["database"]
        connection.execute(allow.format(sql.Identifier(name), sql.SQL("true")))
        expect(page.locator("body")).to_have_attribute("data-state", SHOWN, timeout=WAIT_MS)
        page.goto("about:blank")


@pytest.mark.long
def test_without_a_database_the_page_names_it_and_no_secret(page: Page, tmp_path: Path) -> None:
    with serving(NOWHERE, "127.0.0.1:1", tmp_path) as address:
        opened(page, address, "blank")
        expect(page.get_by_text("The database does not answer")).to_be_visible(timeout=WAIT_MS)
        expect(page.get_by_text("127.0.0.1:1/nowhere")).to_be_visible()
        assert "s3cret" not in page.content()
        assert "s3cret" not in str(health(address))
        page.goto("about:blank")


def test_nothing_is_wider_than_the_window(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    for width, height in ((1920, 1080), (1440, 900), (1024, 768), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(1_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for card in page.locator(".card").all():
            outer = card.bounding_box()
            assert outer is not None
            for inner in card.locator("table, .tiles, .plot").all():
                box = inner.bounding_box()
                assert box is not None
                assert box["x"] + box["width"] <= outer["x"] + outer["width"], width


@pytest.mark.long
def test_without_an_mlflow_there_is_no_link_to_one(page: Page, tmp_path: Path) -> None:
    with serving(NOWHERE, "127.0.0.1:1", tmp_path) as address:
        opened(page, address, "blank")
        expect(page.locator("header").get_by_role("link")).to_have_count(1 + len(PAGES))  # Foretick's own
        page.goto("about:blank")


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (360, "dark")])
def test_mlflow_is_a_link_by_mouse_and_keyboard_and_names_no_password(
    page: Page, with_mlflow: str, width: int, theme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    opened(page, f"{with_mlflow}?theme={theme}", "blank")
    link = page.get_by_role("link", name="MLflow")
    expect(link).to_have_attribute("href", MLFLOW)
    expect(link).to_be_in_viewport(ratio=1)
    colour = (DARK if theme == "dark" else LIGHT).hit
    assert link.evaluate("link => getComputedStyle(link).color") == "rgb({}, {}, {})".format(*bytes.fromhex(colour[1:]))
    for _ in range(1 + len(PAGES) + 1):
        page.keyboard.press("Tab")
    expect(link).to_be_focused()
    assert link.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    badge, box = page.locator(".badge-place").bounding_box(), link.bounding_box()
    assert box is not None
    assert badge is not None
    beside, below = box["x"] + box["width"] <= badge["x"], badge["y"] + badge["height"] <= box["y"]
    assert beside or below
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert "s3cret" not in page.content()
    page.goto("about:blank")

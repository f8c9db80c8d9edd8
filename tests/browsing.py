"""A Chromium and its tabs for the tests that look at a page as a person does."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from dashboard.screenshot import ARGUMENTS, CHROMIUM


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def tab(browser: Browser) -> Iterator[Page]:
    """Open an empty tab; it fails when the browser complained or warned, or asked any other host for anything."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page = context.new_page()
    complaints: list[str] = []
    hosts: set[str | None] = set()
    page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    page.on("websocket", lambda socket: hosts.add(urlsplit(socket.url).hostname))
    yield page
    context.close()
    assert complaints == []
    assert hosts <= {"127.0.0.1", None}  # None: data and blob URLs, which stay in the browser


def draw_all(page: Page) -> None:
    """Have the plots drawn that are out of view, as an export does."""
    page.evaluate("dispatchEvent(new CustomEvent('foretick-every', {detail: true}))")
    page.wait_for_function("Bokeh.documents[0].get_model_by_name('bridge').drawn === '*'")

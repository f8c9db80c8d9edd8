"""What the pages of other sites, and a client that asks too often, can make of the dashboard."""

import http.client
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from dashboard_market import Market, serving
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def guarded(new_market: Callable[[], Market], servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard that makes pages as rarely as one does by default."""
    market = new_market()
    market.write(30)
    usual = {"FORETICK_DASHBOARD_RATE": "1", "FORETICK_DASHBOARD_BURST": "6", "FORETICK_HOSTS": "foretick.example"}
    with serving(market.url, servers.kafka, tmp_path_factory.mktemp("home"), more=usual) as address:
        yield address


def ask(address: str, path: str, **headers: str) -> tuple[int, dict[str, str]]:
    """Return the status and the headers of an answer to a raw request."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply.status, dict(reply.getheaders())


def wait_until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def settled(address: str) -> None:
    """Wait until a page may be made again."""
    wait_until(lambda: ask(address, "/")[0] == 200)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {"Host": "evil.example"}, 403),
        ("/health", {"Host": "evil.example:5006"}, 403),
        ("/assets/page.css", {"Host": "127.0.0.1.evil.example"}, 403),
        ("/health", {"Host": "foretick.example"}, 200),
        ("/health", {"Host": "localhost:1"}, 200),
        ("/health", {"Host": "[::1]:5006"}, 200),
        ("/", {"Origin": "http://evil.example"}, 403),
        ("/", {"Origin": "null"}, 403),
        ("/ws", {"Origin": "http://localhost:1", "Upgrade": "websocket", "Connection": "Upgrade"}, 403),
        ("/", {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"}, 403),
        ("/", {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}, 403),
        ("/autoload.js?bokeh-autoload-element=1", {}, 404),
        ("/metadata", {}, 404),
    ],
)
def test_foreign_hosts_and_origins_and_unused_paths_are_refused(
    guarded: str, path: str, headers: dict[str, str], status: int
) -> None:
    assert ask(guarded, path, **headers)[0] == status


def test_a_link_from_elsewhere_may_be_followed(guarded: str) -> None:
    settled(guarded)
    followed = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    wait_until(lambda: ask(guarded, "/", **followed)[0] == 200)


@pytest.mark.long
def test_a_flood_of_requests_makes_few_pages_and_leaves_the_rest_alone(guarded: str) -> None:
    """150 at once stopped the dashboard for a minute: no more are made than may be, and the others are told when.

    Each of the 150 asks again until the check is answered and a page was made, so that the flood lasts as long as both,
    however fast or slow this machine is just now.
    """
    settled(guarded)
    results: list[tuple[int, dict[str, str]]] = []
    all_ask, enough = threading.Barrier(151), threading.Event()
    began = time.monotonic()

    def flood() -> None:
        all_ask.wait()
        while True:
            results.append(ask(guarded, "/"))
            if enough.is_set():
                return

    with ThreadPoolExecutor(150) as pool:
        clients = [pool.submit(flood) for _ in range(150)]
        try:
            all_ask.wait()
            assert ask(guarded, "/health")[0] == 200
            assert not any(client.done() for client in clients)  # the check was answered in the middle of it
            wait_until(lambda: {status for status, _ in results} >= {200, 429})
        finally:
            enough.set()
    for client in clients:
        client.result()
    statuses = [status for status, _ in results]
    assert len(statuses) >= 150
    assert set(statuses) == {200, 429}
    assert statuses.count(200) <= 6 + (time.monotonic() - began) + 1
    assert all(int(headers["Retry-After"]) >= 1 for status, headers in results if status == 429)
    settled(guarded)


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.browser
def test_another_sites_page_makes_no_page_and_a_person_is_let_in_after_a_flood(
    guarded: str, chromium: Browser, tmp_path: Path
) -> None:
    context = chromium.new_context()
    tab = context.new_page()
    answers: list[int] = []
    tab.on("response", lambda reply: answers.append(reply.status) if guarded in reply.url else None)
    images = "".join(f'<img src="{guarded}?{number}">' for number in range(150))
    (tmp_path / "index.html").write_text(f"{images}<iframe src='{guarded}'></iframe>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as elsewhere:
        thread = threading.Thread(target=elsewhere.serve_forever)
        thread.start()
        tab.goto(f"http://localhost:{elsewhere.server_port}/")
        elsewhere.shutdown()
        thread.join()
    assert len(answers) >= 150
    assert set(answers) == {403}
    for _ in range(10):
        ask(guarded, "/")
    tab.goto(guarded)  # where it is refused, the browser asks again by itself
    expect(tab.locator("body")).to_have_attribute("data-state", re.compile("live|waiting|replay|stale"), timeout=60_000)
    context.close()


@pytest.mark.long
def test_a_page_that_nobody_looks_at_is_gone_soon(
    new_market: Callable[[], Market], servers: Any, tmp_path: Any
) -> None:
    few = {"FORETICK_DASHBOARD_PAGES": "2"}
    with serving(new_market().url, servers.kafka, tmp_path, more=few) as address:
        assert [ask(address, "/")[0] for _ in range(3)] == [200, 200, 429]
        settled(address)

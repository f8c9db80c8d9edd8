"""The dashboard's server: ``python -m dashboard.serve``. One process, one page, and all that it needs."""

import argparse
import logging
import signal
import time
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from bokeh.application import Application
from bokeh.application.handlers import FunctionHandler
from bokeh.document import Document
from bokeh.server.server import BaseServer
from bokeh.server.util import bind_sockets
from jinja2 import Environment, FileSystemLoader
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler, StaticFileHandler

from dashboard import panels
from dashboard.feed import Feed
from dashboard.lag import LagMonitor
from dashboard.page import Page
from dashboard.palette import PALETTES
from dashboard.request_guard import PAGE, Guarded
from observability import logs
from observability.probe import Probe
from observability.work_status import LoopTurns, WorkStatus
from settings import Settings
from stack.mlflow_page import address as address_of_mlflow
from stack.rate_limit import RateLimiter

HOST = "127.0.0.1"
FOLDER = files("dashboard")
TEMPLATE = Environment(
    loader=FileSystemLoader(str(FOLDER.joinpath("templates"))),
    autoescape=False,  # noqa: S701 - Bokeh puts its own markup into it; data never enters the template
).get_template("index.html")
SYSTEM_COOKIE = "foretick-system-theme"


class HealthHandler(RequestHandler):
    """Answers 200 while the page can be served, 503 when its reader has ended; says whether the database answers."""

    def initialize(self, feed: Feed) -> None:
        """Take the feed to report on."""
        self.feed = feed

    def get(self) -> None:
        """Report."""
        self.set_status(200 if self.feed.alive else 503)
        self.write({"status": "ok" if self.feed.alive else "stopped", "database": self.feed.error or "ok"})


def furnish(document: Document, page: Page, settings: Settings) -> None:
    """Give a page's document its template and what that is filled with."""
    document.template = TEMPLATE
    document.template_variables.update(
        theme=page.bridge.theme,
        automatic=page.choice.theme not in PALETTES,
        cookie=SYSTEM_COOKIE,
        mlflow=address_of_mlflow(settings),
        scores=panels.SCORES,
        texts=panels.TEXTS,
        palettes={name: palette.css() for name, palette in PALETTES.items()},
    )
    document.title = "Foretick"


def build(
    settings: Settings, port: int, stale_after_s: float | None = None, address: str = HOST
) -> tuple[BaseServer, int, Feed, LagMonitor]:
    """Return the server, not started, its port, and the two readers that feed it. Port 0 takes a free one."""
    feed, lag = Feed(settings.database_url.get_secret_value()), LagMonitor(settings)

    def open_page(document: Document) -> None:
        context: Any = document.session_context
        request = context.request if context else None
        cookie = request.cookies.get(SYSTEM_COOKIE, "") if request else ""
        system = cookie if cookie in PALETTES else "light"
        page = Page(document, feed, lag, settings.interval, request.arguments if request else {}, system, stale_after_s)
        furnish(document, page, settings)

    sockets, port = bind_sockets(address, port)
    application = Guarded(
        {PAGE: Application(FunctionHandler(open_page))},
        hosts=settings.hosts,
        buckets=RateLimiter(settings.dashboard_rate, settings.dashboard_burst, time.monotonic),
        most=settings.dashboard_pages,
        extra_websocket_origins=["*"],  # the gate has looked at it
        extra_patterns=[
            (r"/health", HealthHandler, {"feed": feed}),
            (r"/assets/(.*)", StaticFileHandler, {"path": str(FOLDER.joinpath("assets"))}),
        ],
        check_unused_sessions_milliseconds=5_000,
        unused_session_lifetime_milliseconds=15_000,
    )
    http = HTTPServer(application)
    http.add_sockets(sockets)
    return BaseServer(IOLoop.current(), application, http), port, feed, lag


def serve(
    settings: Settings,
    port: int,
    ready: Callable[[int], None],
    stale_after_s: float | None = None,
    address: str = HOST,
) -> None:
    """Serve until SIGTERM or Ctrl-C; `ready` is called with the port. Raises OSError if the port is taken."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a Kafka that does not answer is shown on the page
    logging.getLogger("bokeh.server.views.ws").setLevel(logging.ERROR)  # it warns of every tab that is closed
    server, port, feed, lag = build(settings, port, stale_after_s, address)
    feed.start()
    lag.start()
    server.start()
    work_status = WorkStatus(settings)
    turns = LoopTurns(server.io_loop.asyncio_loop)  # type: ignore[attr-defined, unused-ignore] # of Tornado's loop on asyncio, the only one here
    work_status.hangs = lambda: turns() if feed.alive else "the reader has ended"
    work_status.problem = lambda: feed.error if feed.read or feed.error else "the first answer of the database"
    probe = Probe("dashboard", work_status.condition)
    probe.start(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.io_loop.add_callback_from_signal(server.io_loop.stop))
    ready(port)
    server.io_loop.start()
    server.stop()
    probe.stop()
    feed.stop()
    lag.stop()


def main() -> None:
    """Serve with the settings."""
    parser = argparse.ArgumentParser(prog="python -m dashboard.serve", description="Serve the Foretick dashboard.")
    parser.add_argument("--port", type=int, help="default: FORETICK_DASHBOARD_PORT, or 5006; 0 takes a free one")
    parser.add_argument("--stale-after", type=float, metavar="SECONDS", help="default: one and a half intervals")
    parser.add_argument(
        "--address", default=HOST, help="where to listen (0.0.0.0 in a container that publishes on loopback)"
    )
    options = parser.parse_args()
    settings = Settings()
    logs.configure("dashboard", settings, logging.WARNING)
    port = settings.dashboard_port if options.port is None else options.port
    serve(settings, port, announce, options.stale_after, options.address)


def announce(port: int) -> None:
    """Say where the page is."""
    print(f"dashboard on http://{HOST}:{port}/", flush=True)  # noqa: T201 - the one line that tells where it is


if __name__ == "__main__":
    main()

"""The dashboard's server: ``python -m dashboard.serve``. One process, all pages, and all that they need."""

import argparse
import logging
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from bokeh.application import Application
from bokeh.application.handlers import FunctionHandler
from bokeh.document import Document
from bokeh.resources import Component, Resources
from bokeh.server.server import BaseServer
from bokeh.server.util import bind_sockets
from bokeh.server.views.static_handler import StaticHandler
from jinja2 import Environment, FileSystemLoader
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler, StaticFileHandler

from dashboard.live.feed import Feed
from dashboard.live.service import LivePage
from dashboard.palette import PALETTES
from dashboard.request_guard import Guarded
from dashboard.service import PageRequest, PageService, SiteOptions
from dashboard.site import HOME, PAGES
from observability import logs
from observability.probe import Probe
from observability.work_status import LoopTurns, WorkStatus
from settings import Settings
from stack.mlflow_page import address as address_of_mlflow
from stack.rate_limit import RateLimiter

HOST = "127.0.0.1"
FOLDER = files("dashboard")
TEMPLATES = Environment(
    loader=FileSystemLoader(str(FOLDER.joinpath("templates"))),
    autoescape=False,  # noqa: S701 - Bokeh puts its own markup into it; data never enters the template
)
SYSTEM_COOKIE = "foretick-system-theme"


class HealthHandler(RequestHandler):
    """Answers 200 while the pages can be served, 503 when a reader has ended; says whether the database answers."""

    def initialize(self, pages: Sequence[PageService], feed: Feed) -> None:
        """Take the pages to report on, and the live page's feed."""
        self.pages, self.feed = pages, feed

    def get(self) -> None:
        """Report."""
        alive = all(page.ended is None for page in self.pages)
        self.set_status(200 if alive else 503)
        self.write({"status": "ok" if alive else "stopped", "database": self.feed.error or "ok"})


@dataclass(frozen=True)
class Site:
    """A server that is not started yet, its port, and its pages; `live` is one of them."""

    server: BaseServer
    port: int
    pages: tuple[PageService, ...]
    live: LivePage


def script_files(parts: Sequence[Component]) -> list[str]:
    """Return the addresses of parts of BokehJS, which a browser may keep: each names its version."""
    versioned = StaticHandler.append_version
    return Resources(mode="server", root_url="/", path_versioner=versioned, components=list(parts)).js_files


def opener(page: PageService, pages: Sequence[PageService], settings: Settings) -> Callable[[Document], None]:
    """Return what furnishes a document with a page."""
    template = TEMPLATES.get_template(f"{page.name}.html")

    def open_page(document: Document) -> None:
        context: Any = document.session_context
        request = context.request if context else None
        cookie = request.cookies.get(SYSTEM_COOKIE, "") if request else ""
        system = cookie if cookie in PALETTES else "light"
        with document.models.freeze():  # Bokeh would go through all models again at each root that is added
            variables = page.open(document, PageRequest(arguments=request.arguments if request else {}, system=system))
        document.template = template
        document.template_variables.update(
            pages=pages,
            page_name=page.name,
            cookie=SYSTEM_COOKIE,
            mlflow=address_of_mlflow(settings),
            scripts=script_files(page.scripts),
            palettes={name: palette.css() for name, palette in PALETTES.items()},
            **variables,
        )
        document.title = "Foretick" if page.name == HOME.name else f"{page.title} · Foretick"

    return open_page


def build(settings: Settings, port: int, stale_after_s: float | None = None, address: str = HOST) -> Site:
    """Return the site. Port 0 takes a free one."""
    options = SiteOptions(settings=settings, stale_after_s=stale_after_s)
    live = LivePage(options)
    pages = tuple(live if kind is LivePage else kind(options) for kind in PAGES)
    paths = {page.path: opener(page, pages, settings) for page in pages} | {"/": opener(live, pages, settings)}
    sockets, port = bind_sockets(address, port)
    application = Guarded(
        {path: Application(FunctionHandler(open_page)) for path, open_page in paths.items()},
        pages=tuple(paths),
        hosts=settings.hosts,
        buckets=RateLimiter(settings.dashboard_rate, settings.dashboard_burst, time.monotonic),
        most=settings.dashboard_pages,
        extra_websocket_origins=["*"],  # the gate has looked at it
        extra_patterns=[
            (r"/health", HealthHandler, {"pages": pages, "feed": live.feed}),
            (r"/assets/(.*)", StaticFileHandler, {"path": str(FOLDER.joinpath("assets"))}),
        ],
        check_unused_sessions_milliseconds=5_000,
        unused_session_lifetime_milliseconds=15_000,
    )
    http = HTTPServer(application)
    http.add_sockets(sockets)
    return Site(BaseServer(IOLoop.current(), application, http), port, pages, live)


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
    site = build(settings, port, stale_after_s, address)
    server, feed = site.server, site.live.feed
    for page in site.pages:
        page.start()
    server.start()
    work_status = WorkStatus(settings)
    turns = LoopTurns(server.io_loop.asyncio_loop)  # type: ignore[attr-defined, unused-ignore] # of Tornado's loop on asyncio, the only one here
    work_status.hangs = lambda: next((page.ended for page in site.pages if page.ended), None) or turns()
    work_status.problem = lambda: feed.error if feed.read or feed.error else "the first answer of the database"
    probe = Probe("dashboard", work_status.condition)
    probe.start(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.io_loop.add_callback_from_signal(server.io_loop.stop))
    ready(site.port)
    server.io_loop.start()
    server.stop()
    probe.stop()
    for page in site.pages:
        page.stop()


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

"""The dashboard's server: ``python -m dashboard.serve``. One process, all pages, and all that they need."""

import argparse
import gc
import ipaddress
import logging
import signal
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bokeh.application import Application
from bokeh.application.handlers import FunctionHandler
from bokeh.document import Document
from bokeh.resources import Component, Resources
from bokeh.server.server import BaseServer
from bokeh.server.util import bind_sockets
from bokeh.server.views.static_handler import StaticHandler
from bokeh.settings import settings as bokeh_settings
from jinja2 import Environment, FileSystemLoader
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler, StaticFileHandler

from dashboard.actions.handler import LARGEST, ActionHandler, Actions
from dashboard.actions.renewal import Renewal
from dashboard.clock import CLOCKS
from dashboard.live.feed import Feed
from dashboard.live_page import LivePage
from dashboard.palette import PALETTES
from dashboard.request_guard import Guarded
from dashboard.service import PageRequest, PageService, SiteOptions
from dashboard.site import HOME, PAGES, SUBPAGES
from observability import logs
from observability.probe import Probe
from observability.work_status import LoopTurns, WorkStatus
from settings import Settings
from stack.basic_auth import DASHBOARD_PASSWORD, USER
from stack.mlflow_page import address as address_of_mlflow
from stack.rate_limit import RateLimiter
from stack.secret import password

HOST = "127.0.0.1"
FOLDER = files("dashboard")
TEMPLATES = Environment(
    loader=FileSystemLoader(str(FOLDER.joinpath("templates"))),
    autoescape=False,  # noqa: S701 - Bokeh puts its own markup into it; data never enters the template
)
SYSTEM_COOKIE = "foretick-system-theme"
CLOCK_COOKIE = "foretick-clock"
"""Set by assets/bridge.js when a viewer chooses a clock."""
NO_PORTS: Mapping[str, int] = MappingProxyType({})


def problem_of(pages: Iterable[PageService]) -> str | None:
    """Return the first page that could not read something lately, and why; None if all could."""
    errors = ((page.title, page.failing) for page in pages)
    return next((f"the page {title}: {error}" for title, error in errors if error is not None), None)


class HealthHandler(RequestHandler):
    """Answers 200 while the pages can be served, 503 when a reader has ended; says whether the database answers, and
    whether a page could not read something lately.

    It is open to everyone: where a password is asked for, it does not say where the database is.
    """

    def initialize(self, pages: Sequence[PageService], feed: Feed, detailed: bool) -> None:
        """Take the pages to report on, and the live page's feed."""
        self.pages, self.feed, self.detailed = pages, feed, detailed

    def get(self) -> None:
        """Report."""
        alive = all(page.ended is None for page in self.pages)
        self.set_status(200 if alive else 503)
        self.write({"status": "ok" if alive else "stopped", "database": self._database(), "pages": self._pages()})

    def _pages(self) -> str:
        failing = problem_of(self.pages)
        if failing is None:
            return "ok"
        return failing if self.detailed else "an error"

    def _database(self) -> str:
        if self.feed.error is None:
            return "ok"
        return self.feed.error if self.detailed else "no answer"


@dataclass(frozen=True, kw_only=True)
class Site:
    """A server that is not started yet, its port, its pages, and what they may do; `live` is one of them.

    `others` are the same pages at further ports, each with another of them at ``/``: `classic` has the ports by page.

    `login` is the file of the password that it asks for, None if it asks for none.
    """

    server: BaseServer
    port: int
    others: tuple[BaseServer, ...]
    classic: Mapping[str, int]
    pages: tuple[PageService, ...]
    live: LivePage
    actions: Actions
    login: Path | None

    def start(self) -> None:
        """Start to read, and to answer."""
        for page in self.pages:
            page.start()
        for server in (self.server, *self.others):
            server.start()

    def stop(self) -> None:
        """End what `start` began, once the loop has stopped."""
        for server in (self.server, *self.others):
            server.stop()
        self.actions.stop()
        for page in self.pages:
            page.stop()


def script_files(parts: Sequence[Component]) -> list[str]:
    """Return the addresses of parts of BokehJS, which a browser may keep: each names its version."""
    versioned = StaticHandler.append_version
    return Resources(mode="server", root_url="/", path_versioner=versioned, components=list(parts)).js_files


def opener(
    page: PageService, pages: Sequence[PageService], settings: Settings, actions: Actions
) -> Callable[[Document], None]:
    """Return what furnishes a document with a page."""
    template = TEMPLATES.get_template(f"{page.name}.html")

    def open_page(document: Document) -> None:
        context: Any = document.session_context
        request = context.request if context else None
        cookie = request.cookies.get(SYSTEM_COOKIE, "") if request else ""
        system = cookie if cookie in PALETTES else "light"
        known = request.cookies.get(CLOCK_COOKIE, "") if request else ""
        clock = known if known in CLOCKS else CLOCKS[0]
        with document.models.freeze():  # Bokeh would go through all models again at each root that is added
            variables = page.open(
                document, PageRequest(arguments=request.arguments if request else {}, system=system, clock=clock)
            )
        document.template = template
        document.template_variables.update(
            pages=[one for one in pages if not one.within],
            page_name=page.name,
            current=page.within or page.name,
            cookie=SYSTEM_COOKIE,
            mlflow=address_of_mlflow(settings),
            token=actions.tokens.issue(page.name) if page.actions else "",
            scripts=script_files(page.scripts),
            palettes={name: palette.css() for name, palette in PALETTES.items()},
            **variables,
        )
        if page.actions:
            Renewal(document, actions.tokens, page.name).start()
        document.title = "Foretick" if page.name == HOME.name else f"{page.title} · Foretick"

    return open_page


def is_loopback(address: str) -> bool:
    """Return whether only this machine reaches an address; a name other than localhost is not known to be such."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def build(
    settings: Settings,
    port: int,
    stale_after_s: float | None = None,
    address: str = HOST,
    *,
    home: str = HOME.name,
    classic: Mapping[str, int] = NO_PORTS,
) -> Site:
    """Return the site, with the page `home` at ``/``. Port 0 takes a free one.

    `classic` are further ports by the page that each has at ``/``; a page that does not exist has none. Raises OSError
    if a port is taken.
    """
    options = SiteOptions(settings=settings, stale_after_s=stale_after_s)
    live = LivePage(options)
    pages = {kind.name: live if kind is LivePage else kind(options) for kind in (*PAGES, *SUBPAGES)}
    actions = Actions(settings, (action for page in pages.values() for action in page.actions))
    login = None if is_loopback(address) else settings.home.resolve() / DASHBOARD_PASSWORD
    openers = {page.path: opener(page, tuple(pages.values()), settings, actions) for page in pages.values()}

    def server(first: str, port: int) -> tuple[BaseServer, int]:
        sockets, port = bind_sockets(address, port)
        application = _application(
            {"/": openers[f"/{first}"]} | openers, settings, actions, pages.values(), live, login
        )
        http = HTTPServer(application, max_body_size=LARGEST)
        http.add_sockets(sockets)
        return BaseServer(IOLoop.current(), application, http), port

    main, port = server(home, port)
    others = {name: server(name, number) for name, number in classic.items() if name in pages}
    return Site(
        server=main,
        port=port,
        others=tuple(one for one, _ in others.values()),
        classic={name: number for name, (_, number) in others.items()},
        pages=tuple(pages.values()),
        live=live,
        actions=actions,
        login=login,
    )


def _application(
    openers: Mapping[str, Callable[[Document], None]],
    settings: Settings,
    actions: Actions,
    pages: Collection[PageService],
    live: LivePage,
    login: Path | None,
) -> Guarded:
    """Return what answers at one port."""
    return Guarded(
        {path: Application(FunctionHandler(open_page)) for path, open_page in openers.items()},
        pages=tuple(openers),
        hosts=settings.hosts,
        buckets=RateLimiter(settings.dashboard_rate, settings.dashboard_burst, time.monotonic),
        most=settings.dashboard_pages,
        password="" if login is None else password(login),
        refused=actions.refuse,
        extra_websocket_origins=["*"],  # the gate has looked at it
        extra_patterns=[
            (r"/health", HealthHandler, {"pages": tuple(pages), "feed": live.feed, "detailed": login is None}),
            (r"/actions/([a-z-]+)", ActionHandler, {"actions": actions}),
            (r"/assets/(.*)", StaticFileHandler, {"path": str(FOLDER.joinpath("assets"))}),
        ],
        check_unused_sessions_milliseconds=5_000,
        unused_session_lifetime_milliseconds=15_000,
    )


def quiet() -> None:
    """Silence the libraries that warn of what is shown on the page, or is of no interest."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a Kafka that does not answer is shown on the page
    logging.getLogger("bokeh.server.views.ws").setLevel(logging.ERROR)  # it warns of every tab that is closed


def lighten() -> None:
    """Make the opening and the closing of a page cheaper in a process that only serves pages.

    Bokeh checks each document as it is opened, a quarter of the time, which tests do too; and collects garbage at each
    page's end: what is there from the start is left out of that. All garbage is else collected a tenth as often as is
    usual: for a fifth of a second all pages wait for it.
    """
    bokeh_settings.perform_document_validation = False
    gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], 100)


def serve(
    settings: Settings,
    port: int,
    ready: Callable[[int], None],
    stale_after_s: float | None = None,
    address: str = HOST,
    *,
    classic: Mapping[str, int] = NO_PORTS,
) -> None:
    """Serve until SIGTERM or Ctrl-C; `ready` is called with the port. Raises OSError if a port is taken."""
    quiet()
    site = build(settings, port, stale_after_s, address, classic=classic)
    server, feed = site.server, site.live.feed
    site.start()
    work_status = WorkStatus(settings)
    turns = LoopTurns(server.io_loop.asyncio_loop)  # type: ignore[attr-defined, unused-ignore] # of Tornado's loop on asyncio, the only one here
    work_status.hangs = lambda: next((page.ended for page in site.pages if page.ended), None) or turns()
    work_status.problem = lambda: (
        (feed.error or problem_of(site.pages)) if feed.read or feed.error else "the first answer of the database"
    )
    probe = Probe("dashboard", work_status.condition)
    probe.start(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.io_loop.add_callback_from_signal(server.io_loop.stop))
    lighten()
    ready(site.port)
    if site.login is not None:
        print(f"the user is {USER}, the password is in {site.login}", flush=True)  # noqa: T201 - the only place that says so
    server.io_loop.start()
    probe.stop()
    site.stop()


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

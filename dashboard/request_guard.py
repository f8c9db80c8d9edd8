"""Protects the dashboard: refuses requests of other sites' pages, and limits the rate of new pages.

A page takes tenths of a second of the single thread; clients on this machine cannot be distinguished, so all share one
rate. `/health` and open pages are exempt. With a `password`, as beyond the loopback interface, everything but `/health`
asks for it.
"""

import math
from collections.abc import Callable
from hmac import compare_digest
from typing import Any, NamedTuple

from bokeh.protocol import Protocol
from bokeh.server.connection import ServerConnection
from bokeh.server.contexts import ApplicationContext
from bokeh.server.session import ServerSession
from bokeh.server.tornado import BokehTornado
from bokeh.server.views.ws import WSHandler
from bokeh.util.token import get_session_id
from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from dashboard.one_message import OneMessageConnection
from stack.basic_auth import USER, given
from stack.rate_limit import RateLimiter
from stack.same_origin import is_ours, is_same

HEALTH = "/health"
ACTIONS = "/actions/"
FILES = ("/assets/", "/static/")
FULL_S = 15
"""The seconds that a browser waits if too many pages are open: by then abandoned ones are closed."""


class Refusal(NamedTuple):
    """Why a request is refused; `wait` is after how many seconds it may be repeated."""

    status: int
    reason: str
    wait: int | None = None


class Refused(RequestHandler):
    """Answers with a refusal, in one line."""

    def initialize(self, refusal: Refusal) -> None:
        """Take it."""
        self.refusal = refusal

    def prepare(self) -> None:
        """Answer, whatever the method."""
        self.set_status(self.refusal.status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        if self.refusal.wait is not None:
            self.set_header("Retry-After", str(self.refusal.wait))
            self.set_header("Refresh", str(self.refusal.wait))  # a browser then retries by itself
        if self.refusal.status == 401:
            self.set_header("WWW-Authenticate", 'Basic realm="dashboard of Foretick", charset="UTF-8"')
        self.finish(f"{self.refusal.reason}\n")


class Guarded(BokehTornado):
    """Bokeh's application behind the guard.

    `pages` are the paths of the pages, `hosts` our names besides the loopback's, `most` is the maximum number of open
    pages. `refused` is told of refused actions; a `password` of "" is not asked for.
    """

    def __init__(
        self,
        *arguments: Any,
        pages: tuple[str, ...],
        hosts: tuple[str, ...],
        buckets: RateLimiter,
        most: int,
        password: str,
        refused: Callable[[HTTPServerRequest, str], None],
        **options: Any,
    ) -> None:
        self._pages, self._password, self._refused = pages, password.encode(), refused
        self._sockets = {f"{page.rstrip('/')}/ws": page for page in pages}
        self._hosts, self._buckets, self._most = hosts, buckets, most
        super().__init__(*arguments, **options)

    def new_connection(
        self, protocol: Protocol, socket: WSHandler, application_context: ApplicationContext, session: ServerSession
    ) -> ServerConnection:
        """Return the connection of a browser."""
        connection = OneMessageConnection(protocol, socket, application_context, session)
        self._clients.add(connection)
        return connection

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Return the handler of a request: a refusal, or Bokeh."""
        served = (*self._pages, *self._sockets, HEALTH)
        refusal = foreign(request, self._hosts, served) or self._locked(request) or self._crowded(request)
        if refusal is not None:
            if request.path.startswith(ACTIONS):
                self._refused(request, refusal.reason)
            return self.get_handler_delegate(request, Refused, {"refusal": refusal})
        return super().find_handler(request, **kwargs)

    def _locked(self, request: HTTPServerRequest) -> Refusal | None:
        """Return a refusal if the password is asked for and not given.

        A browser may leave it out of a WebSocket: that one names a session, which nobody knows without the page.
        """
        if not self._password or request.path == HEALTH:
            return None
        if request.path in self._sockets and self._is_open(request):
            return None
        if compare_digest(given(request.headers.get("Authorization", "")), self._password):
            return None
        return Refusal(401, f"the user is {USER}; the dashboard's log and `foretick status` show the password's file")

    def _is_open(self, request: HTTPServerRequest) -> bool:
        """Return whether a WebSocket is of an open page."""
        return _session(request) in {session.id for page in self._pages for session in self.get_sessions(page)}

    def _crowded(self, request: HTTPServerRequest) -> Refusal | None:
        """Return a refusal if the request would exceed the number of pages."""
        if request.path not in self._pages and request.path not in self._sockets:
            return None
        if request.path in self._sockets and self._is_open(request):
            return None
        open_pages = sum(len(self.get_sessions(page)) for page in self._pages)
        if open_pages >= self._most:
            return Refusal(429, f"{open_pages} pages are open, the maximum", FULL_S)
        wait = self._buckets.wait("")
        return Refusal(429, "too many pages at once", math.ceil(wait)) if wait else None


def foreign(request: HTTPServerRequest, hosts: tuple[str, ...], served: tuple[str, ...]) -> Refusal | None:
    """Return a refusal if a request names another host, comes from another site's page, or is for none of the `served`
    paths and files.

    Following a link from another site is allowed; images, frames and scripts in its pages are not.
    """
    headers = request.headers
    host = headers.get("Host", "")
    if not is_ours(host, hosts):
        return Refusal(403, "unknown host name: FORETICK_HOSTS adds one")
    followed = headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
    elsewhere = headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    if not is_same(headers.get("Origin"), host) or (elsewhere and not followed):
        return Refusal(403, "only the dashboard's own pages may send requests")
    if request.path.startswith(ACTIONS) and headers.get("Origin") is None:
        return Refusal(403, "an action's request has an Origin")  # a browser always says it, and a page is in one
    if request.path not in served and not request.path.startswith((*FILES, ACTIONS)):
        return Refusal(404, "there is no such page")
    return None


def _session(request: HTTPServerRequest) -> str | None:
    """Return the page named by a WebSocket, None if there is none."""
    offered = request.headers.get("Sec-WebSocket-Protocol", "").split(",")
    try:
        return str(get_session_id(offered[1].strip()))
    except (IndexError, ValueError, KeyError):
        return None

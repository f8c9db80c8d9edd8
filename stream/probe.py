"""A component's /metrics, /health and /ready, served by a thread of its own at a port of its own."""

import asyncio
import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Gauge, generate_latest

from settings import Settings

UP = Gauge("foretick_component", "1 for the component that answers.", ["component"])
log = logging.getLogger("foretick")
LOOP_S = 30.0
"""An event loop that has not answered for so long hangs."""

Check = Callable[[], str | None]
"""Returns None where all is well, else what is not."""


def well() -> str | None:
    """Return None."""
    return None


def loop_turns(loop: asyncio.AbstractEventLoop, wait_s: float = LOOP_S) -> Check:
    """Return a check that an event loop still does what it is asked."""

    def check() -> str | None:
        turned = threading.Event()
        try:
            loop.call_soon_threadsafe(turned.set)
        except RuntimeError:
            return "the event loop is closed"
        return None if turned.wait(wait_s) else f"the event loop has not answered for {wait_s:g} s"

    return check


class Probe:
    """Answers for a component. `healthy`: it is to be restarted where not; `ready`: it does its work."""

    def __init__(self, component: str, healthy: Check = well, ready: Check = well) -> None:
        UP.labels(component).set(1)
        self._checks = {"/health": healthy, "/ready": ready}
        self._server: ThreadingHTTPServer | None = None

    def start(self, settings: Settings) -> int | None:
        """Serve at the port of the settings and return it; nowhere where they name none. Raises OSError if taken."""
        if settings.metrics_port is None:
            return None
        server = ThreadingHTTPServer((settings.metrics_address, settings.metrics_port), self._handler())
        server.daemon_threads = True
        self._server = server
        threading.Thread(target=server.serve_forever, name="probe", daemon=True).start()
        log.info("metrics on http://%s:%d/metrics", settings.metrics_address, server.server_port)
        return int(server.server_port)

    def stop(self) -> None:
        """End the thread."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Return status, content type and body."""
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY)
        check = self._checks.get(path)
        if check is None:
            return 404, "text/plain", b"/metrics, /health, /ready\n"
        wrong = check()
        return (200, "text/plain", b"ok\n") if wrong is None else (503, "text/plain", f"{wrong}\n".encode())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        probe = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 60

            def do_GET(self) -> None:
                status, kind, body = probe.answer(self.path.partition("?")[0])
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing: who scrapes does so all day."""

        return Handler

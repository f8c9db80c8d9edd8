"""A component's /metrics, /health, /ready and /condition, served by a separate thread at a port of its own.

All say the same: the component's condition. `python -m observability.probe` asks the one at FORETICK_METRICS_PORT, and
ends with 1 where it does not work: the health check of a container.
"""

import http.client
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, get_args

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from observability.condition import HEALTHY, Condition, Word, clock
from settings import Settings

UP = Gauge("foretick_component", "1 for the component that answers.", ["component"])
log = logging.getLogger("foretick")
HOST, ASK_S = "127.0.0.1", 3.0

Ask = Callable[[], Condition]
"""Returns the component's condition."""


def well() -> Condition:
    """Return that it is healthy: for a component without work of its own."""
    return HEALTHY


@dataclass(frozen=True)
class ConditionCollector(Collector):
    """The condition as a gauge, 1 for the present one; and the consumer lag in event time, if it is known."""

    component: str
    ask: Ask

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges."""
        gauge = GaugeMetricFamily(
            "foretick_condition", "1 for the present condition.", labels=["component", "condition"]
        )
        condition = self.ask()
        for word in get_args(Word):
            gauge.add_metric([self.component, word], float(word == condition.word))
        yield gauge
        lag = GaugeMetricFamily(
            "foretick_consumer_lag_seconds",
            "Event time of the newest record less that of the last processed one, at the worst partition.",
            labels=["component"],
        )
        if condition.behind is not None and condition.behind.seconds is not None:
            lag.add_metric([self.component], condition.behind.seconds)
        yield lag


class Probe:
    """The HTTP server of a component.

    /health is 503 if it must be restarted, /ready if it does not do its work, and the text of both is its condition;
    /condition is the same as JSON.
    """

    def __init__(self, component: str, ask: Ask = well) -> None:
        UP.labels(component).set(1)
        self._ask = ask
        self._own = CollectorRegistry()  # separate from the process's, so that a second probe does not conflict
        self._own.register(ConditionCollector(component, ask))
        self._server: ThreadingHTTPServer | None = None

    def start(self, settings: Settings) -> int | None:
        """Serve at the port of the settings and return it; None if they name none. Raises OSError if it is taken."""
        if settings.metrics_port is None:
            return None
        server = Server((settings.metrics_address, settings.metrics_port), self._handler())
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
            return 200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY) + generate_latest(self._own)
        if path not in ("/health", "/ready", "/condition"):
            return 404, "text/plain", b"/metrics, /health, /ready, /condition\n"
        condition = self._ask()
        if path == "/condition":
            return 200, "application/json", msgspec.json.encode(condition)
        bad = condition.word == "stuck" if path == "/health" else not condition.good()
        return 503 if bad else 200, "text/plain; charset=utf-8", f"{condition.text()}\n".encode()

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
                """Log nothing: scrapes are frequent."""

        return Handler


class Server(ThreadingHTTPServer):
    """Serves each request in a thread. Clients that disconnect early are not logged."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Log an error in the components' format."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            log.exception("a request for this process's condition failed")


def asked(port: int, timeout_s: float = ASK_S) -> Condition:
    """Query the condition of the component at a port of this machine; `unknown` if it does not answer in time."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_s)
    try:
        connection.request("GET", "/condition")
        answer = connection.getresponse()
        return msgspec.json.decode(answer.read(), type=Condition)
    except (OSError, http.client.HTTPException, msgspec.MsgspecError) as error:
        why = f"no answer within {timeout_s:g} s" if isinstance(error, TimeoutError) else str(error)
        return Condition(word="unknown", why=f"{why} at {HOST}:{port}")
    finally:
        connection.close()


def main() -> None:
    """Query, print, and exit with 0 if it works."""
    port = Settings().metrics_port
    if port is None:
        sys.exit("FORETICK_METRICS_PORT is not set: there is no component to query")
    condition = asked(port)
    since = f" (since {clock(condition.since)})" if condition.since else ""
    sys.stdout.write(f"{condition.text()}{since}\n")
    sys.exit(0 if condition.good() else 1)


if __name__ == "__main__":
    main()

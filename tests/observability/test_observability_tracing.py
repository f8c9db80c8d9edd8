"""Spans reach a collector by OTLP/HTTP; one that is away, or slow, costs a line in the log and no more."""

import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from observability.tracer import OFF
from observability.tracing import tracer
from settings import Settings
from settings.version import package_version
from topics import codec

pytestmark = pytest.mark.slow
pytest.importorskip("opentelemetry.exporter.otlp.proto.http.trace_exporter", reason="the exporter")

TICK = SimpleNamespace(headers=codec.HEADERS, key=b"BTCUSDT")


class Collector(ThreadingHTTPServer):
    """Keeps what it gets; `status` is its answer, once it may give one."""

    daemon_threads = True

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.status = 200
        self.may = threading.Event()
        self.may.set()
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it takes spans."""
        return f"http://127.0.0.1:{self.server_port}/v1/traces"


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.may.wait(30)
        self.server.bodies.append(body)
        self.server.paths.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector."""
    made = Collector()
    yield made
    made.may.set()
    made.shutdown()
    made.server_close()


def exporting(url: str, queue: int = 10) -> Any:
    """Return a processor that sends there at once."""
    from observability.span_export import BoundedProcessor, CountingExporter

    return BoundedProcessor(CountingExporter(url), queue)


def made(processor: Any, count: int) -> None:
    """Begin and end so many spans."""
    from observability.spans import SpanTracer

    traces = SpanTracer("tried", 1.0, processor)
    for _ in range(count):
        traces.span("bars", "ticks", [TICK], enters=True).end()


def counted() -> dict[str, float]:
    """Return the counts of spans by result."""
    values = {name: REGISTRY.get_sample_value("foretick_spans_total", {"result": name}) for name in RESULTS}
    return {name: value or 0.0 for name, value in values.items()}


RESULTS = ("sent", "refused", "dropped")


def more(before: dict[str, float]) -> tuple[float, ...]:
    """Return how many more there are."""
    now = counted()
    return tuple(now[name] - before[name] for name in RESULTS)


def test_the_collector_of_the_settings_receives_the_spans(collector: Collector):
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    traces = tracer("worker", Settings(traces_url=collector.url, traces_share=1.0))
    with traces.span("bars", "ticks", [TICK], enters=True) as span:
        assert span.traceparent is not None
    until(lambda: bool(collector.bodies))
    assert collector.paths == ["/v1/traces"]
    (resource,) = ExportTraceServiceRequest.FromString(collector.bodies[0]).resource_spans
    about = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert (about["service.name"], about["service.version"]) == ("foretick-worker", package_version())
    (sent,) = resource.scope_spans[0].spans
    assert (sent.name, sent.trace_id.hex()) == ("bars", span.traceparent.split("-")[1])


def test_a_collector_that_is_away_costs_one_line_and_the_spans(caplog: pytest.LogCaptureFixture):
    before, processor = counted(), exporting("http://127.0.0.1:1/v1/traces")
    with caplog.at_level(logging.INFO):
        made(processor, 4)
        until(lambda: more(before) == (0, 4, 0))
        made(processor, 3)
        processor.shutdown()
    assert more(before) == (0, 7, 0)
    (line,) = [one.getMessage() for one in caplog.records if one.name != "faust"]
    assert line.startswith("traces: http://127.0.0.1:1/v1/traces takes no spans (Failed to export")
    assert line.endswith("): they are dropped until it does")


def test_one_that_refuses_and_then_takes_is_told_of_twice(collector: Collector, caplog: pytest.LogCaptureFixture):
    collector.status = 400
    before, processor = counted(), exporting(collector.url)
    with caplog.at_level(logging.INFO):
        made(processor, 1)
        until(lambda: more(before) == (0, 1, 0))
        collector.status = 200
        made(processor, 1)
        until(lambda: more(before) == (1, 1, 0))
    processor.shutdown()
    texts = [one.getMessage() for one in caplog.records]
    assert len(texts) == 2
    assert "400" in texts[0]
    assert texts[1] == f"traces: {collector.url} takes spans again"


def test_spans_that_find_the_queue_full_are_dropped_and_counted_at_once(collector: Collector):
    collector.may.clear()
    before, processor = counted(), exporting(collector.url, queue=10)
    made(processor, 25)
    assert more(before) == (0, 0, 15)
    collector.may.set()
    processor.shutdown()
    assert more(before) == (10, 0, 15)


def test_without_an_address_there_is_no_tracer():
    assert tracer("worker", Settings(traces_url="")) is OFF


def test_where_the_exporter_is_not_installed_one_line_says_so(monkeypatch: pytest.MonkeyPatch, caplog: Any):
    import sys

    for name in list(sys.modules):
        if name.startswith("observability.span"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert tracer("worker", Settings(traces_url="http://127.0.0.1:1/v1/traces")) is OFF
    (line,) = [one.getMessage() for one in caplog.records]
    assert line.startswith("FORETICK_TRACES_URL: nothing is traced, since opentelemetry.exporter")


def until(holds: Any) -> None:
    """Wait until something holds."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)

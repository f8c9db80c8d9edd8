"""Sends spans to a collector by OTLP/HTTP, from a bounded queue and in a thread of its own: no stream waits for it.

What finds the queue full, or the collector does not take, is dropped and counted.
"""

import atexit
import logging
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import Counter

log = logging.getLogger("foretick")

QUEUE, AT_ONCE = 2_048, 512
SEND_S = 3.0
"""How long one sending may take, with its retries; the end of a process waits for about one."""
EVERY_MS = 1_000
SPANS = Counter(
    "foretick_spans", "Spans of traced batches: sent, refused by the collector, dropped at a full queue.", ["result"]
)
for _result in ("sent", "refused", "dropped"):
    SPANS.labels(_result)


class LastReason(logging.Handler):
    """Keeps the text of the last record: the exporter gives its reasons to its log only."""

    text = "no reason given"

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.text = " ".join(record.getMessage().split())


class CountingExporter(SpanExporter):
    """Counts what is sent, and logs once that the collector does not take spans, and that it does again.

    `reached`: the spans that have left the queue. Once `ending`, a collector that is away is not asked again.
    """

    def __init__(self, url: str) -> None:
        self._url, self._reason = url, LastReason()
        own = logging.getLogger("opentelemetry")
        own.handlers, own.propagate = [self._reason], False
        self._exporter = OTLPSpanExporter(endpoint=url, timeout=SEND_S)
        self.reached = 0
        self.away = self.ending = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans."""
        self.reached += len(spans)
        result = SpanExportResult.FAILURE if self.away and self.ending else self._exporter.export(spans)
        away = result is not SpanExportResult.SUCCESS
        SPANS.labels("refused" if away else "sent").inc(len(spans))
        if away and not self.away:
            text = "traces: %s takes no spans (%s): they are dropped until it does"
            log.warning(text, self._url, self._reason.text)
        elif self.away and not away:
            log.info("traces: %s takes spans again", self._url)
        self.away = away
        return result

    def shutdown(self) -> None:
        """End."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call, unused-ignore] # OpenTelemetry's has no types


class BoundedProcessor(BatchSpanProcessor):
    """Drops, and counts, the newest spans where the SDK's own queue would drop the oldest and only log that."""

    def __init__(self, exporter: CountingExporter, queue: int = QUEUE) -> None:
        super().__init__(exporter, 2 * queue, EVERY_MS, min(AT_ONCE, queue))
        self._counting, self._most, self._given = exporter, queue, 0

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span."""
        if self._given - self._counting.reached >= self._most:
            SPANS.labels("dropped").inc()
            return
        self._given += 1
        super().on_end(span)

    def shutdown(self) -> None:
        """Send what is queued, if the collector takes it."""
        self._counting.ending = True
        super().shutdown()  # type: ignore[no-untyped-call, unused-ignore] # OpenTelemetry's has no types


def collector(url: str) -> BoundedProcessor:
    """Return what sends spans to the collector at that URL until the process ends."""
    processor = BoundedProcessor(CountingExporter(url))
    atexit.register(processor.shutdown)
    return processor

"""Spans of the work on batches, by OpenTelemetry's SDK; `observability.tracing` imports it only where tracing is on."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, StatusCode, get_current_span
from opentelemetry.trace import Span as SDKSpan
from opentelemetry.trace.propagation import set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from broker.interface import Delivery
from broker.origin import header
from observability.tracer import UNTRACED, Span, Tracer
from settings.version import package_version
from topics.codec import ARRIVED_HEADER, TRACE_HEADER

MOST_LINKS = 32
"""A batch may be of thousands of records, nearly all of a few spans."""
MOST_KEYS = 8

_w3c = TraceContextTextMapPropagator()


def parsed(traceparent: str) -> SpanContext | None:
    """Return the span of a traceparent; None if it is not valid, as any program may write it."""
    context = get_current_span(_w3c.extract({TRACE_HEADER: traceparent}, Context())).get_span_context()
    return context if context.is_valid else None


def traceparent(span: SDKSpan) -> str:
    """Return the header's text for what is made in a span."""
    carrier: dict[str, str] = {}
    _w3c.inject(carrier, set_span_in_context(span, Context()))
    return carrier[TRACE_HEADER]


def _headers(messages: Iterable[Any]) -> Iterable[str]:
    """Yield the distinct headers of traces, in order."""
    values = dict.fromkeys(header(message, TRACE_HEADER) for message in messages)
    return (value.decode("ascii", "replace") for value in values if value)


def traced(values: Iterable[str | None]) -> list[SpanContext]:
    """Return the spans that are recorded, of distinct traceparents."""
    found: list[SpanContext] = []
    for value in values:
        context = parsed(value) if value else None
        if context is not None and context.trace_flags.sampled:
            found.append(context)
        if len(found) > MOST_LINKS:
            break
    return found


class RecordedSpan(Span):
    """A span of the SDK."""

    def __init__(self, span: SDKSpan) -> None:
        self._span, self.traceparent = span, traceparent(span)

    def fail(self, why: str) -> None:
        """Have it say why the work failed."""
        self._span.set_status(StatusCode.ERROR, why)

    def end(self) -> None:
        """End it."""
        self._span.end()

    def end_after(self, deliveries: Sequence[Delivery]) -> None:
        """End it once these are done."""
        if not deliveries:
            return self.end()
        done = asyncio.gather(*deliveries, return_exceptions=True)
        done.add_done_callback(lambda _: self.end())
        return None


class SpanTracer(Tracer):
    """Records spans; a trace that begins here is recorded for this `share` of the trace ids."""

    def __init__(self, component: str, share: float, processor: SpanProcessor) -> None:
        resource = Resource.create({"service.name": f"foretick-{component}", "service.version": package_version()})
        provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)), resource=resource, shutdown_on_exit=False
        )
        provider.add_span_processor(processor)
        self._tracer = provider.get_tracer("foretick")

    def span(
        self, name: str, topic: str, messages: Iterable[Any], *, began: int | None = None, enters: bool = False
    ) -> Span:
        """Return the span of the work on messages."""
        batch = list(messages)
        parents = traced(_headers(batch))
        if not parents and not (enters and any(_enters(message) for message in batch)):
            return UNTRACED
        attributes: dict[str, Any] = {
            "messaging.system": "kafka",
            "messaging.destination.name": topic,
            "messaging.batch.message_count": len(batch),
            "messaging.kafka.message.keys": _keys(batch),
        }
        return self._begun(name, SpanKind.CONSUMER, parents, began, attributes)

    def parent(self, messages: Iterable[Any]) -> str | None:
        """Return the traceparent of the first traced message."""
        parents = traced(_headers(messages))
        return traceparent(NonRecordingSpan(parents[0])) if parents else None

    def follow(self, name: str, parents: Iterable[str | None]) -> Span:
        """Return the span of work that follows from these spans, if there are any."""
        found = traced(dict.fromkeys(parents))
        return self._begun(name, SpanKind.CLIENT, found) if found else UNTRACED

    def _begun(
        self,
        name: str,
        kind: SpanKind,
        parents: Sequence[SpanContext],
        began: int | None = None,
        attributes: dict[str, Any] | None = None,
    ) -> Span:
        context = set_span_in_context(NonRecordingSpan(parents[0]), Context()) if parents else Context()
        links = [Link(parent) for parent in parents[1:]]
        span = self._tracer.start_span(name, context, kind, attributes, links, began)
        return RecordedSpan(span) if span.is_recording() else UNTRACED


def _enters(message: Any) -> bool:
    """Return whether a message is no output of ours, and no trace of it says that it is not recorded."""
    if header(message, ARRIVED_HEADER) is not None:
        return False
    return not any(parsed(value) for value in _headers([message]))


def _keys(messages: Iterable[Any]) -> list[str]:
    keys = sorted({(message.key or b"").decode(errors="replace") for message in messages})
    return keys[:MOST_KEYS]

"""Chooses a component's tracer: off by default, and then nothing of OpenTelemetry is imported."""

import logging

from observability.tracer import OFF, Tracer
from settings import Settings

log = logging.getLogger("foretick")


def tracer(component: str, settings: Settings) -> Tracer:
    """Return the tracer of a component, as the settings have it."""
    if not settings.traces_url:
        return OFF
    try:
        from observability.span_export import collector  # noqa: PLC0415 - where tracing is off, nobody pays for it
        from observability.spans import SpanTracer  # noqa: PLC0415 - likewise
    except ImportError as error:
        log.warning("FORETICK_TRACES_URL: nothing is traced, since %s is not installed", error.name)
        return OFF
    return SpanTracer(component, settings.traces_share, collector(settings.traces_url))

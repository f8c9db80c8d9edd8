"""The components' logs: lines of text, or JSON objects with the known fields."""

import logging
import sys
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import stamina.instrumentation
import structlog

from settings import Settings
from settings.text import escaped

log = logging.getLogger("foretick")

TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def configure(component: str, settings: Settings, level: int = logging.INFO) -> None:
    """Log to standard error, in the format of FORETICK_LOG_FORMAT.

    JSON objects hold time, level, logger, event and component, exception if there is one, and a line's ``extra``
    fields: topic, symbol. Warnings, and the error that ends the process, are logged too.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(json_lines(component) if settings.log_format == "json" else Lines(TEXT))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    # Else stamina prints, and a print raises if the disk with the log is full, in the middle of a retry.
    stamina.instrumentation.set_on_retry_hooks([stamina.instrumentation.LoggingOnRetryHook])
    sys.excepthook = last_words


class Lines(logging.Formatter):
    """Lines of text: external text cannot start a new line, nor affect a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's name
        """Return the line."""
        record.message = escaped(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - likewise
        """Return a traceback."""
        return "\n".join(map(escaped, super().formatException(ei).split("\n")))


def last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log the error that ends the process like every other line; Ctrl-C is handled as usual."""
    if issubclass(kind, Exception):
        log.critical("the process ends: %s", kind.__name__, exc_info=(kind, error, trace))
    else:
        sys.__excepthook__(kind, error, trace)


def json_lines(component: str) -> logging.Formatter:
    """Return the formatter of JSON objects."""

    def with_component(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["component"] = component
        return event

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            with_component,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )

"""Where a frame comes from, in its headers: when the tick or bar behind it arrived, and the span that made it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from broker.interface import Headers
from topics import codec
from topics.codec import ARRIVED_HEADER, TRACE_HEADER


class Origin(NamedTuple):
    """What is known of a batch's input. `arrived`: epoch ms; `traceparent`: of the span in which the batch is computed
    (W3C Trace Context), None if it is not traced.
    """

    arrived: int | None = None
    traceparent: str | None = None

    @property
    def trace_id(self) -> str | None:
        """The id of the trace, 32 hexadecimal digits."""
        return self.traceparent.split("-")[1] if self.traceparent is not None else None

    def headers(self) -> Headers:
        """Return the headers of what is made of the batch."""
        headers = list(codec.HEADERS)
        if self.arrived is not None:
            headers.append((ARRIVED_HEADER, b"%d" % self.arrived))
        if self.traceparent is not None:
            headers.append((TRACE_HEADER, self.traceparent.encode()))
        return headers


UNKNOWN = Origin()


def header(message: Any, name: str) -> bytes | None:
    """Return a header of a message, None if it has none of that name."""
    headers: Any = message.headers or ()
    pairs: Iterable[tuple[str, bytes | None]] = headers.items() if isinstance(headers, dict) else headers
    for key, value in pairs:
        if key == name:
            return value
    return None

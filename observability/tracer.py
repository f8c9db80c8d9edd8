"""Spans of the work on batches, in OpenTelemetry's terms: the interface, and what stands for it where tracing is off.

A batch's span continues the trace of its first traced input, and links the others. A trace begins where a record enters
that is not ours, and its share of the batches is traced.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Self

from broker.interface import Delivery


class Span:
    """The work on a batch that is not traced; subclasses record it. As a context manager it ends with its block."""

    traceparent: str | None = None

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """End it, and have it say what failed."""
        if error is not None:
            self.fail(type(error).__name__)
        self.end()

    def fail(self, why: str) -> None:
        """Have it say why the work failed."""

    def end(self) -> None:
        """End it."""

    def end_after(self, deliveries: Sequence[Delivery]) -> None:
        """End it once these are done."""


UNTRACED = Span()


class Tracer:
    """Traces nothing; `observability.spans` does."""

    def span(
        self,
        name: str,  # noqa: ARG002 - the interface
        topic: str,  # noqa: ARG002 - the interface
        messages: Iterable[Any],  # noqa: ARG002 - the interface
        *,
        began: int | None = None,  # noqa: ARG002 - the interface
        enters: bool = False,  # noqa: ARG002 - the interface
    ) -> Span:
        """Return the span of the work on a topic's messages, which began at that time (epoch ns; now by default).

        Where none of them is traced, one is begun only if it `enters` here: a message that is not ours is among them.
        """
        return UNTRACED

    def parent(self, messages: Iterable[Any]) -> str | None:  # noqa: ARG002 - the interface
        """Return the traceparent of the first traced message."""
        return None

    def follow(self, name: str, parents: Iterable[str | None]) -> Span:  # noqa: ARG002 - the interface
        """Return the span of work that follows from the spans of these traceparents, if there are any."""
        return UNTRACED


OFF = Tracer()

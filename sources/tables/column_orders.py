"""Sources of orders of columns: a row each of a table without a header."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from sources.tables.layout import Head, Layout, Source


class Named(Protocol):
    """An order of columns with a name for people and one to type."""

    @property
    def source(self) -> str:
        """The name for people."""

    @property
    def short(self) -> str:
        """The name to type."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields, in their order."""


Order = TypeVar("Order", bound=Named)


def without_header(
    orders: Sequence[Order],
    recognise: Callable[[Order, Head], Layout | None],
    on_message: Callable[[Order, Head], Layout | str],
) -> tuple[Source, ...]:
    """Return a source for each order."""
    return tuple(
        Source(
            name=order.source,
            short=order.short,
            columns=f"(no header) {','.join(order.columns)}",
            recognise=partial(recognise, order),
            named_layout=partial(on_message, order),
        )
        for order in orders
    )

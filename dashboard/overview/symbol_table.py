"""The table as the browser has it: its cells are columns of a source, of which only what has changed is sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from bokeh.core.properties import Dict, Instance, List, String
from bokeh.document import Document
from bokeh.events import DocumentReady
from bokeh.model import DataModel
from bokeh.models.callbacks import CustomJS
from bokeh.models.sources import ColumnDataSource

from dashboard.overview.cells import COLUMNS, TEXTS
from dashboard.static_files import asset

Cells = Sequence[Mapping[str, str]]


class SymbolTable(DataModel):
    """The rows in `source`, the `order` of those that are shown, and the `heads` of the columns whose names change.

    `sort` is the column of the order and `direction` its ``aria-sort``; `arrangement` changes with each choice of the
    viewer's: while the pointer is on the table, only that moves its rows.
    """

    # Any: what is assigned to a Bokeh property is a plain value, not the property that mypy sees here.
    source: Any = Instance(ColumnDataSource)
    order: Any = List(String, default=[])
    heads: Any = Dict(String, String, default={})
    sort: Any = String(default="symbol")
    direction: Any = String(default="ascending")
    arrangement: Any = String(default="")

    def follow(self, document: Document) -> None:
        """Let the browser keep the table in step with this."""
        texts = list(TEXTS)
        document.js_on_event(DocumentReady, CustomJS(args={"symbols": self, "texts": texts}, code=asset("overview.js")))


def symbol_table() -> SymbolTable:
    """Return a table without a row."""
    return SymbolTable(name="symbol_table", source=ColumnDataSource({name: [] for name in COLUMNS}))


def feed(source: ColumnDataSource, before: Cells, after: Cells) -> None:
    """Bring the source from cells to others, sending those that differ; other symbols are sent completely."""
    if [row["symbol"] for row in before] != [row["symbol"] for row in after]:
        source.data = {name: [row[name] for row in after] for name in COLUMNS}
        return
    changed = {name: changes([row[name] for row in before], [row[name] for row in after]) for name in COLUMNS}
    patches: dict[str, Any] = {name: patch for name, patch in changed.items() if patch}
    if patches:
        source.patch(patches)


def changes(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, str]]:
    """Return the rows that differ, and their new values.

    >>> changes(["a", "b"], ["a", "c"])
    [(1, 'c')]
    """
    return [(row, new) for row, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]

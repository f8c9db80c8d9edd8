"""Columns in which a file must have one value: of two venues, markets or intervals no one series can be made."""

from dataclasses import dataclass, field
from functools import cached_property

from sources.errors import SourceError
from sources.markets.market import COLUMNS, kind_in
from sources.reading.parse import Chunk
from sources.tables.cells import strings
from sources.tables.layout import Head, Layout

_EACH = (
    ("venues", ("exchange", "venue", "exchange_name")),
    ("markets", COLUMNS),
    ("intervals", ("interval", "timeframe", "period", "resolution")),
)
_NO_INTERVAL = "intervals"


@dataclass
class SingleValueCheck:
    """Checks the columns of a table with a venue, a market or an interval, chunk by chunk."""

    head: Head
    layout: Layout
    name: str
    _seen: dict[str, str] = field(default_factory=dict)

    @cached_property
    def columns(self) -> dict[str, str]:
        """The columns that are looked at, and of what they must hold one."""
        values = {
            column: what
            for what, names in _EACH
            for name in names
            if (column := self.head.find(name)) is not None and (self.layout.kind == "bar" or what != _NO_INTERVAL)
        }
        return {column: what for column, what in values.items() if column not in self.layout.columns.values()}

    def check(self, chunk: Chunk) -> None:
        """Raise SourceError if a column holds another value than before."""
        for column, what in self.columns.items():
            for cell in strings(chunk.table.column(column)).unique().to_pylist():
                if not cell or (what == "markets" and kind_in(cell) is None):
                    continue
                first = self._seen.setdefault(column, cell)
                if cell != first and (what != "markets" or kind_in(cell) != kind_in(first)):
                    raise SourceError(
                        f"{self.name}: column {column!r} has rows of several {what}, {first!r} and {cell!r}: save "
                        "those of each in a file"
                    )

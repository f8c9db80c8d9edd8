"""What of a plot can be saved as CSV: the browser writes it, from the columns that it draws (assets/export.js)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bokeh.models.plots import Plot
from bokeh.models.sources import DataSource

KEY = "sheets"
"""What a plot's tag is called that holds its sheets."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One CSV: `columns` are those of the sources with their headings, ``name [unit]``; `[UTC]` is a time in epoch ms.

    `sources` are by what a further first column says of their rows; its heading is `by`, and it is left out where there
    is one source of the name "". A column whose cells are lists has a row for each of their elements.
    """

    columns: Mapping[str, str]
    sources: Iterable[tuple[str, DataSource]]
    by: str = "series"
    name: str = ""


def offer(plot: Plot, *sheets: Sheet) -> None:
    """Offer these sheets of a plot, and no others; those that it has already are not sent again."""
    told = [
        {
            "name": sheet.name,
            "by": sheet.by,
            "columns": [[column, heading] for column, heading in sheet.columns.items()],
            "sources": [[name, source] for name, source in sheet.sources],
        }
        for sheet in sheets
    ]
    tags = [tag for tag in plot.tags if not (isinstance(tag, dict) and KEY in tag)]
    wanted = [*tags, {KEY: told}]
    if plot.tags != wanted:
        plot.tags = wanted


def sheet(plot: Plot, source: DataSource, columns: Mapping[str, str]) -> None:
    """Offer the columns of a plot that is drawn from one source."""
    offer(plot, Sheet(columns=columns, sources=[("", source)]))

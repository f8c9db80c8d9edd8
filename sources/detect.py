"""What kind of file it is, told by its header and first rows."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sources.cells import number
from sources.errors import SourceError
from sources.formats import SOURCES
from sources.layout import Head, Layout, Source

EMPTY = frozenset({"", "NaN", "nan", "NAN", "NULL", "null", "None", "none", "N/A", "n/a", "NA", "#N/A", "-"})
"""What a cell without a value looks like."""
_NOTES = ("cryptodatadownload",)
_ROWS = 5
_SHOWN = 160


@dataclass(frozen=True)
class Dialect:
    """How a text table is written: what parts its cells, and how many lines stand above its rows."""

    delimiter: str
    skip: int


def read_head(lines: Sequence[str], name: str) -> tuple[Head, Dialect]:
    """Read the first lines of a text table. A first line that only names the vendor is passed over; a row with a number
    is no header.

    Raises SourceError where there is no row.
    """
    notes = 1 if lines and any(note in lines[0].lower() for note in _NOTES) else 0
    lines = [line for line in lines[notes:] if line.strip()]
    if not lines:
        raise SourceError(f"{name}: the file has no rows")
    delimiter = max(",;\t|", key=lines[0].count)
    cells = [[cell.strip() for cell in row] for row in csv.reader(lines[: _ROWS + 1], delimiter=delimiter)]
    titled = all(number(cell) is None for cell in cells[0])
    header = _distinct(cells[0]) if titled else None
    rows = tuple(tuple(None if cell in EMPTY else cell for cell in row) for row in cells[1 if titled else 0 :][:_ROWS])
    return Head(name, header, rows), Dialect(delimiter, notes + int(titled))


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{name}.{place}" if name in names[:place] else name for place, name in enumerate(names))


def detect(head: Head) -> tuple[Source, Layout]:
    """Return the first source that recognises the head, and its layout, whose columns are those of `head.names`.

    Raises SourceError that shows the header and names the known ones.
    """
    for source in SOURCES:
        layout = source.recognise(head)
        if layout is not None:
            places = {name: str(place) for place, name in enumerate(layout.names)}
            return source, replace(layout, columns={name: places.get(at, at) for name, at in layout.columns.items()})
    found = ",".join(head.header) if head.header else ",".join(cell or "" for cell in (head.rows or ((),))[0])
    found = found if len(found) <= _SHOWN else found[:_SHOWN] + "..."
    what = "header" if head.header else "first row (there is no header)"
    known = ", ".join(source.name for source in SOURCES)
    raise SourceError(
        f"{head.name}: unknown format, the {what} is {found!r}; known are {known} ({SOURCES[-1].columns})"
    )

"""The beginning of a text table: which lines stand above it, what parts its cells, what its columns are called."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sources.cells import number
from sources.errors import SourceError, UnknownFormatError
from sources.layout import Head

EMPTY = frozenset({"", "NaN", "nan", "NAN", "NULL", "null", "None", "none", "N/A", "n/a", "NA", "#N/A", "-"})
"""What a cell without a value looks like."""
_COMMENT = re.compile(r"\s*(#|//|%)")
_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_DELIMITERS = ",;\t|"
_LOOKED, _MOST_TITLES = 60, 3
HEAD_ROWS = 50
"""Rows by which a table is recognised."""
_TIME = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}|\d{1,2}:\d{2}")

Cells = list[str]


@dataclass(frozen=True)
class Dialect:
    """How a text table is written: what parts its cells, and how many lines stand above its rows."""

    delimiter: str
    skip: int


def read_head(lines: Sequence[str], name: str) -> tuple[Head, Dialect]:
    """Read the first lines of a text table.

    Lines above the table that are blank, comments or notes (of another width) are passed over; a row with a number is
    no header. Raises UnknownFormatError where there is no row.
    """
    kept = [(place, line) for place, line in enumerate(lines) if line.strip() and not _COMMENT.match(line)]
    told = _SEPARATOR.fullmatch(kept[0][1].strip()) if kept else None
    kept = kept[1:] if told else kept
    if not kept:
        raise UnknownFormatError(f"{name}: the file has no rows")
    kept = kept[:_LOOKED]
    delimiter = told[1] if told else _delimiter([line for _, line in kept])
    cells = [_split(line, delimiter) for _, line in kept]
    width = _width(cells)
    first = _first(cells, width)
    titles = _titles(cells[first:])
    at = first + titles
    rows = tuple(
        tuple(None if cell in EMPTY else cell for cell in row) for row in cells[at:][:HEAD_ROWS] if len(row) == width
    )
    skip = kept[at][0] if at < len(kept) else kept[-1][0] + 1
    notes = tuple(line.strip() for place, line in enumerate(lines[: kept[first][0]]) if line.strip())
    if not titles:
        return Head(name, None, rows, notes=notes), Dialect(delimiter, skip)
    header, symbol = _header(cells[first:at], width, name)
    notes += tuple(delimiter.join(row) for row in cells[first + 1 : at])
    return Head(name, header, rows, symbol, notes), Dialect(delimiter, skip)


def _split(line: str, delimiter: str) -> Cells:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _delimiter(lines: Sequence[str]) -> str:
    """Return what parts most lines into one number of cells, more than one; of several, what makes the most cells."""

    def agreed(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(_split(line, delimiter)) for line in lines)
        width, count = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
        return (count, width) if width > 1 else (0, 0)

    return max(_DELIMITERS, key=agreed)


def _width(cells: Sequence[Cells]) -> int:
    """Return the number of cells that most lines have; of equally common ones the larger."""
    return max(Counter(map(len, cells)).items(), key=lambda pair: (pair[1], pair[0]))[0]


def _first(cells: Sequence[Cells], width: int) -> int:
    """Return the place of the line at which the table begins: its header, or its first row.

    Lines before it are notes: they are narrower, and hold no number in a cell of its own.
    """
    for place, row in enumerate(cells):
        if len(row) == width or _lacks_one(row, cells[place + 1 :], width):
            return place
        if len(row) > 1 and any(number(cell) is not None for cell in row):
            break
    return 0


def _lacks_one(row: Cells, below: Sequence[Cells], width: int) -> bool:
    """Tell whether a header is one cell shorter than its rows, which end with an empty one."""
    full = [cells for cells in below if len(cells) == width]
    return len(row) == width - 1 > 1 and bool(full) and all(cells[-1] == "" for cells in full)


def _titles(cells: Sequence[Cells]) -> int:
    """Return how many of the first lines hold neither a number nor a time, and so name columns."""
    for place, row in enumerate(cells[:_MOST_TITLES]):
        if any(number(cell) is not None or _TIME.match(cell) for cell in row):
            return place
    return min(_MOST_TITLES, len(cells))


def _header(titles: Sequence[Cells], width: int, name: str) -> tuple[tuple[str, ...], str | None]:
    """Return the columns' names, and the symbol where a line of the header tells one.

    Two or three lines are what yfinance writes: fields, tickers, and the name of the index.
    """
    names, symbol = list(titles[0]), None
    if len(titles) > 1 and titles[1][0].lower() == "ticker":
        tickers = list(dict.fromkeys(cell for cell in titles[1][1:] if cell))
        if len(tickers) > 1:
            raise SourceError(f"{name}: {', '.join(tickers)} stand side by side; save each symbol in a file of its own")
        names[0] = titles[2][0] if len(titles) > 2 and titles[2][0] else "Date"
        symbol = tickers[0] if tickers else None
    names += [""] * (width - len(names))
    tidy = [cell.strip("<>") for cell in names]
    return tuple(f"{cell}.{place}" if cell in tidy[:place] else cell for place, cell in enumerate(tidy)), symbol

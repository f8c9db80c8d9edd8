"""The head of a text table: lines above it, the delimiter, the columns' names."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from sources.errors import UnknownFormatError
from sources.tables.cells import is_epoch, number
from sources.tables.layout import Head

EMPTY = frozenset({"", "NaN", "nan", "NAN", "NULL", "null", "None", "none", "N/A", "n/a", "NA", "#N/A", "-"})
EMPTY |= {
    "--",
    "\u2014",
    "\u2013",
    "\\N",
    "<NA>",
    "<na>",
    "nil",
    "n.a.",
    "N.A.",
    "#DIV/0!",
    "#VALUE!",
    "undefined",
    "(null)",
}
EMPTY |= {"NaT", "missing"}
"""What a cell without a value looks like."""
_COMMENT = re.compile(r"\s*(#|//|%)")
_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_DELIMITERS = ",;\t|"
_LOOKED, _MOST_TITLES = 60, 3
HEAD_ROWS = 50
"""Rows by which a table is recognised."""
_TIME = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}|\d{1,2}:\d{2}")

_PRICES, _TIMES = {"open", "high", "low", "close"}, {"time", "date", "datetime", "timestamp", "open_time", "unix"}
"""Names of a header, and those of a time."""
_CORNERS = {"price", "ticker", "attributes", "symbols", ""}
"""What stands in the corner of a header of two lines."""

Cells = list[str]
_Beside = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Dialect:
    """The format of a text table: the delimiter, and the number of lines above its rows."""

    delimiter: str
    skip: int


def read_head(lines: Sequence[str], name: str) -> tuple[Head, Dialect]:
    """Read the first lines of a text table.

    Lines above the table that are blank, comments or notes (of another width) are skipped; a row with a number is
    no header. Raises UnknownFormatError if there is no row.
    """
    that_count = ((place, line) for place, line in enumerate(lines) if line.strip() and not _COMMENT.match(line))
    kept = list(islice(that_count, _LOOKED + 1))  # one of them may be the separator's
    match = _SEPARATOR.fullmatch(kept[0][1].strip()) if kept else None
    kept = kept[1:] if match else kept
    if not kept:
        raise UnknownFormatError(f"{name}: the file has no rows")
    kept = kept[:_LOOKED]
    delimiter = match[1] if match else _delimiter([line for _, line in kept])
    cells = [_split(line, delimiter) for _, line in kept]
    width = _width(cells)
    first = _first(cells, width)
    cells, first = _with_index(cells, first + _are_places(cells[first]), width, name)
    titles = _titles(cells[first:])
    at = first + titles
    rows = tuple(
        tuple(None if cell in EMPTY else cell for cell in row) for row in cells[at:][:HEAD_ROWS] if len(row) == width
    )
    skip = kept[at][0] if at < len(kept) else kept[-1][0] + 1
    notes = tuple(line.strip() for place, line in enumerate(lines[: kept[first][0]]) if line.strip())
    if not titles:
        return Head(name=name, header=None, rows=rows, notes=notes, delimiter=delimiter), Dialect(delimiter, skip)
    header, symbol, beside = _header(cells[first:at], width, name)
    notes += tuple(delimiter.join(row) for row in cells[first + 1 : at])
    return Head(
        name=name, header=header, rows=rows, symbol=symbol, notes=notes, beside=beside, delimiter=delimiter
    ), Dialect(delimiter, skip)


def _split(line: str, delimiter: str) -> Cells:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]


def _delimiter(lines: Sequence[str]) -> str:
    """Return what parts most lines into one number of cells, more than one; of several, what makes the most cells."""

    def agreed(delimiter: str) -> tuple[int, int]:
        if not any(delimiter in line for line in lines):
            return 0, 0
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


def _with_index(cells: list[Cells], first: int, width: int, name: str) -> tuple[list[Cells], int]:
    """Return the lines with a name for the first column where the header has none, as pandas writes an index.

    Raises UnknownFormatError if a header has another number of names than its rows have cells.
    """
    place = next((at for at, row in enumerate(cells[:first]) if {cell.lower() for cell in row} >= _PRICES), None)
    if place is None:
        return cells, first
    header, row = cells[place], cells[first]
    named = {cell.lower() for cell in header} & _TIMES
    if len(header) == width - 1 and not named and (_TIME.match(row[0]) or is_epoch(row[:1])):
        return [*cells[:place], ["", *header], *cells[place + 1 :]], place
    if header[width:] == [""]:  # a comma at its end
        return [*cells[:place], header[:width], *cells[place + 1 :]], place
    raise UnknownFormatError(
        f"{name}: the header has {len(header)} names ({','.join(header)[:80]}) and its rows {width} cells: give each "
        "column one name"
    )


def _lacks_one(row: Cells, below: Sequence[Cells], width: int) -> bool:
    """Return whether a header is one cell shorter than its rows, which end with an empty one."""
    full = [cells for cells in below if len(cells) == width]
    return len(row) == width - 1 > 1 and bool(full) and all(cells[-1] == "" for cells in full)


def _titles(cells: Sequence[Cells]) -> int:
    """Return how many of the first lines hold neither a number nor a time, and so name columns."""
    for place, row in enumerate(cells[:_MOST_TITLES]):
        if any(number(cell) is not None or _TIME.match(cell) for cell in row):
            return place
    return min(_MOST_TITLES, len(cells))


def _are_places(row: Cells) -> bool:
    """Return whether a line only counts the columns, as pandas writes it above a table without names."""
    return len(row) > 2 and row == [str(place) for place in range(len(row))]


def _header(titles: Sequence[Cells], width: int, name: str) -> tuple[tuple[str, ...], str | None, _Beside]:
    """Return the columns' names, the symbol where a line of the header tells one, and the columns of each of several.

    Two or three lines are what yfinance writes: fields and tickers, in either order, and the name of the index.
    """
    names, symbol, beside = list(titles[0]), None, {}
    if (results := _fields_and_tickers(titles)) is not None:
        fields, tickers = results
        index = titles[2][0] if len(titles) > 2 and titles[2][0] else "Date"
        symbols = list(dict.fromkeys(cell for cell in tickers if cell))
        names = [index, *fields]
        symbol = symbols[0] if len(symbols) == 1 else None
        if len(symbols) > 1:
            names = [index, *(f"{field} {ticker}" for field, ticker in zip(fields, tickers, strict=True))]
            beside = {one: {index: index} for one in symbols}
            for field, ticker in zip(fields, tickers, strict=True):
                beside.get(ticker, {})[field] = f"{field} {ticker}"
    names += [""] * (width - len(names))
    tidy = [cell.strip("<>") for cell in names]
    if beside and len(set(tidy)) < len(tidy):
        raise UnknownFormatError(f"{name}: two columns are of one field and one symbol; save each symbol in a file")
    return tuple(f"{cell}.{at}" if cell in tidy[:at] else cell for at, cell in enumerate(tidy)), symbol, beside


def _fields_and_tickers(titles: Sequence[Cells]) -> tuple[Cells, Cells] | None:
    """Return the lines of a header that hold the fields and the tickers of the columns after the first."""
    if len(titles) < 2 or len(titles[0]) != len(titles[1]):
        return None
    first, second = titles[:2]
    if not {first[0].lower(), second[0].lower()} <= _CORNERS:
        return None
    for fields, tickers in ((first[1:], second[1:]), (second[1:], first[1:])):
        if {field.lower() for field in fields} >= {"open", "high", "low", "close"} and any(tickers):
            return fields, tickers
    return None

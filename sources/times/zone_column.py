"""A table's column with the zone of its times: it is not guessed whether they are in it."""

import re

import pyarrow as pa

from sources.errors import UnknownFormatError
from sources.tables.cells import number
from sources.tables.layout import Head, Layout
from sources.times.timestamps import names_no_zone

COLUMNS = frozenset({"timezone", "time_zone", "time zone", "tz", "exchange_timezone", "exchangetimezone", "gmtoffset"})
"""Names of a column with a zone, in lower case."""
_ZONE = r"[A-Z][A-Za-z_]+/[A-Za-z_/]+|[A-Z]{2,5}(?:[+-]\d+)?|[+-]\d\d:?\d\d"
_NOTE = re.compile(rf"\b(?i:time[ _-]?zone)\b\s*[:=,;]?\s*\"?({_ZONE})(?![\w/:])")
UTC_NAMES = frozenset({"utc", "gmt", "z", "etc/utc", "etc/gmt", "utc+0", "+00:00", "zulu"})


def check_named_zone(head: Head, layout: Layout) -> None:
    """Raise UnknownFormatError if times of no zone stand beside the name of one that is not UTC."""
    if layout.midnight is not None or (named := _told(head)) is None:
        return
    place = head.names.index(layout.columns["time"])
    cells = [cell for cell in head.column(place) if cell]
    if cells and names_no_zone(pa.array(cells, pa.string())).any():
        raise UnknownFormatError(
            f"{head.name}: {named[0]} says the zone {named[1]!r}, and the times name none: give theirs with --zone "
            "(--zone UTC where they are UTC)"
        )


def _told(head: Head) -> tuple[str, str] | None:
    """Return the column with a zone other than UTC, and the zone."""
    for place, name in enumerate(head.header or ()):
        if name.strip().lower() in COLUMNS:
            for cell in head.column(place):
                if cell and cell.strip().lower() not in UTC_NAMES and number(cell) != 0:
                    return f"column {name}", cell
    for note in head.notes:
        match = _NOTE.search(note)
        if match and match[1].lower() not in UTC_NAMES:
            return "a note above the table", match[1]
    return None

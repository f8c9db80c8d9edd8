"""Detects times that are only dates although the rows are minutes, with the time of day in another column."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from sources.errors import UnknownFormatError
from sources.tables.layout import Head, Layout
from sources.times.time_of_day import CLOCKS, is_clock
from sources.times.timestamps import DAY, UNREADABLE, DateOrder, milliseconds

_CLOCKED = re.compile(r"\d{1,2}[:hH]\d{2}\b")
"""How a cell begins that means a time of day, however it goes on."""


def check_days(head: Head, layout: Layout, order: DateOrder) -> None:
    """Raise UnknownFormatError if the times are dates alone and a time of day beside them would be lost."""
    if head.header is None or layout.day or layout.midnight is not None or "clock" in layout.columns:
        return
    day = layout.columns["time"]
    beside = _may_be_clocks(head, layout)
    if not beside:
        return
    times = milliseconds(pa.array(_column(head, day), pa.string()), order)
    if not len(times) or ((times != UNREADABLE) & (times % DAY != 0)).any() or (times == UNREADABLE).all():
        return
    shared = _shared(head, layout, times)
    for name, cells in beside.items():
        if not (shared or _CLOCKED.match(cells[0])):
            continue
        if name.strip().lower() in CLOCKS and not _is_time(cells, order):
            raise UnknownFormatError(
                f"{head.name}: column {name} beside {day} is no time of day that is read ({cells[0]!r}): write it as "
                "13:00 or 13:00:00"
            )
        if shared and (_CLOCKED.match(cells[0]) or (":" in cells[0] and is_clock(cells))):
            raise UnknownFormatError(
                f"{head.name}: column {day} has days alone, and {name} ({cells[0]!r}) seems to be the time of day: "
                "call it Time"
            )


def _may_be_clocks(head: Head, layout: Layout) -> dict[str, list[str]]:
    """Return the first cells of each column that is not used and may be the time of day, by its name or its cells."""
    used = set(layout.columns.values())
    columns = {name: [cell for cell in _column(head, name) if cell] for name in head.header or () if name not in used}
    return {
        name: cells
        for name, cells in columns.items()
        if cells and (name.strip().lower() in CLOCKS or ":" in cells[0] or _CLOCKED.match(cells[0]))
    }


def _shared(head: Head, layout: Layout, times: Sequence[int] | np.ndarray) -> bool:
    """Return whether two of the first rows are of one symbol and one day."""
    symbol = layout.columns.get("symbol")
    symbols = _column(head, symbol) if symbol is not None else [None] * len(times)
    rows = Counter(zip(symbols, [int(time) for time in times], strict=True))
    return any(count > 1 and time != UNREADABLE for (_, time), count in rows.items())


def _is_time(cells: list[str], order: DateOrder) -> bool:
    return bool((milliseconds(pa.array(cells, pa.string()), order) != UNREADABLE).all())


def _column(head: Head, name: str) -> list[str | None]:
    return head.column(head.names.index(name))

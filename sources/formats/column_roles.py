"""Assigns a header's columns: the time, by the first rows, missing and superfluous columns."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pyarrow as pa

from sources.tables.cells import is_epoch, number
from sources.tables.layout import Head, columns_of
from sources.times.time_of_day import counts_hours, is_clock, minutes_of
from sources.times.timestamps import DAY, UNREADABLE, Ints, milliseconds

_BEGINS = ("start", "begin", "interval_begin", "interval_start", "bar_start", "start_time", "open_time", "from")
"""Names of the start of a bar, beside which a time may be its end."""


def time_of(head: Head, names: Sequence[str], clocks: Sequence[str] = ()) -> dict[str, str]:
    """Return the columns of the fields `time` and, where the day and the time of day stand apart, `clock`.

    It is the first of the names whose cells are times; where none's are, the first that there is. Nothing where the
    header has none of the names.
    """
    columns = [name for name in map(head.find, names) if name is not None]
    if not columns:
        return {}
    for column in columns:
        times = milliseconds(pa.array(_cells(head, column), pa.string()))
        if not len(times) or (times == UNREADABLE).any():
            continue
        clock = _clock(head, column, clocks)
        if clock is not None and (times % DAY == 0).all():
            minute = minutes_of(head) if counts_hours(clock) else None
            return {"time": column, "clock": clock} | ({"minute": minute} if minute is not None else {})
        return {"time": _begin(head, column, times)}
    return {"time": columns[0]}


def fields_in(head: Head, fields: Mapping[str, tuple[str, ...]], times: Sequence[str]) -> dict[str, str]:
    """Return the fields that a header has a column for, and these."""
    return time_of(head, times) | columns_of(head, fields)


def lacking(
    head: Head, needed: Sequence[str], fields: Mapping[str, tuple[str, ...]], times: Sequence[str]
) -> list[str]:
    """Return which of the fields that are needed a header has no column for."""
    known = fields_in(head, fields, times)
    return [name for name in needed if name not in known]


def unused(head: Head, columns: Mapping[str, str], left_out: Collection[str]) -> tuple[str, ...]:
    """Return the columns that are no field's, and are not known to be needless either."""
    used = set(columns.values())
    return tuple(name for name in head.header or () if name not in used and name.strip().lower() not in left_out)


def is_time(cells: Sequence[str | None]) -> bool:
    """Return whether all cells are unix times, dates in digits, or times in text; prices can resemble a spreadsheet's
    days."""
    values = [number(cell) for cell in cells]
    if is_epoch(cells):
        return True
    if not cells or any(value is not None and value < 19e6 for value in values):
        return False
    return bool((milliseconds(pa.array(list(cells), pa.string())) != UNREADABLE).all())


def _begin(head: Head, column: str, times: Ints) -> str:
    """Return the column with the start of the bars where these times stand one step after it in each row."""
    for name in map(head.find, _BEGINS):
        cells = [] if name in (None, column) else _cells(head, str(name))
        if len(cells) != len(times) or len(times) < 2:
            continue
        before = times - milliseconds(pa.array(cells, pa.string()))
        if (before == before[0]).all() and 0 < before[0] <= DAY and before[0] in np.diff(times):
            return str(name)
    return column


def _clock(head: Head, column: str, clocks: Sequence[str]) -> str | None:
    """Return the first column beside that one which is called as a time of day, and is one."""
    named = [name for name in map(head.find, clocks) if name is not None and name != column]
    return next((name for name in named if is_clock(_cells(head, name), name)), None)


def _cells(head: Head, column: str) -> list[str]:
    return [cell for cell in head.column(head.names.index(column)) if cell is not None]

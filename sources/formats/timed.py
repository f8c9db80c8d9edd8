"""Which of a table's columns is the time, told by the first rows: a name alone may be of a number or of nothing."""

from collections.abc import Sequence

import pyarrow as pa

from sources.clock import of_day
from sources.layout import Head
from sources.times import DAY, UNREADABLE, milliseconds


def time_of(head: Head, names: Sequence[str], clocks: Sequence[str] = ()) -> dict[str, str]:
    """Return the columns of the fields `time` and, where the day and the time of day stand apart, `clock`.

    It is the first of the names whose cells are times; where none's are, the first that there is. Nothing where the
    header has none of the names.
    """
    found = [name for name in map(head.find, names) if name is not None]
    if not found:
        return {}
    for column in found:
        times = milliseconds(pa.array(_cells(head, column), pa.string()))
        if not len(times) or (times == UNREADABLE).any():
            continue
        clock = next((name for name in map(head.find, clocks) if name is not None and name != column), None)
        if clock is not None and (times % DAY == 0).all() and _is_clock(_cells(head, clock)):
            return {"time": column, "clock": clock}
        return {"time": column}
    return {"time": found[0]}


def _cells(head: Head, column: str) -> list[str]:
    return [cell for cell in head.column(head.names.index(column)) if cell is not None]


def _is_clock(cells: list[str]) -> bool:
    return bool(cells) and bool((of_day(pa.array(cells, pa.string())) >= 0).all())

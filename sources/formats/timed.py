"""What a header's columns are: which is the time, as the first rows tell, what is lacking, and what is over."""

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa

from sources.clock import of_day
from sources.layout import Head, columns_of
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


def lacking(
    head: Head, needed: Sequence[str], fields: Mapping[str, tuple[str, ...]], times: Sequence[str]
) -> list[str]:
    """Return which of the fields that are needed a header has no column for."""
    found = columns_of(head, fields).keys() | time_of(head, times)
    return [name for name in needed if name not in found]


def unused(head: Head, columns: Mapping[str, str], left_out: Collection[str]) -> tuple[str, ...]:
    """Return the columns that are no field's, and are not known to be needless either."""
    used = set(columns.values())
    return tuple(name for name in head.header or () if name not in used and name.strip().lower() not in left_out)


def _cells(head: Head, column: str) -> list[str]:
    return [cell for cell in head.column(head.names.index(column)) if cell is not None]


def _is_clock(cells: list[str]) -> bool:
    return bool(cells) and bool((of_day(pa.array(cells, pa.string())) >= 0).all())

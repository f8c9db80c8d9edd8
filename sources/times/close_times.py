"""Columns with the end of bars, and contradictions to the interval of the rows or the file's name."""

from collections import Counter

import numpy as np
import pyarrow as pa

from sources.errors import SourceError, UnknownFormatError
from sources.tables.layout import Head, Layout
from sources.times.timestamps import DAY, UNREADABLE, DateOrder, milliseconds
from topics.units import interval_ms, interval_name

CLOSES = frozenset(
    {"close_time", "close time", "closetime", "timeclose", "end_time", "endtime", "end time", "interval_end"}
    | {"period_end", "period end", "window_end", "time_period_end"}
)
"""Names of a column with the end of a bar, in lower case."""
_TIMES = frozenset(
    {"timestamp", "ts", "t", "datetime", "date_time", "time", "date", "unix", "index", "__index_level_0__"}
)
"""Names of times that do not say whether they are the start of a bar."""
_MOST = 0.9
"""The share of rows whose end must give one interval."""
_SECOND = 1_000


def lasting(head: Head, layout: Layout, order: DateOrder) -> int | None:
    """Return how long (ms) the first bars last, by the column with their end; None if there is none, or no one."""
    names = [name.strip().lower() for name in layout.names or head.header or ()]
    place = next((at for at, name in enumerate(names) if name in CLOSES), None)
    if place is None or layout.day or layout.ends or "clock" in layout.columns or not head.rows:
        return None
    places = (head.names.index(layout.columns["time"]), place)
    begins, ends = (milliseconds(pa.array(head.column(at), pa.string()), order) for at in places)
    known = (begins != UNREADABLE) & (ends > begins)
    if not known.any():
        return None
    spans = Counter(map(_whole, (ends - begins)[known].tolist()))
    most, rows = spans.most_common(1)[0]
    return most if rows >= _MOST * len(begins) else None


def by_close(lasts: int | None, results: tuple[str, str]) -> tuple[str, str]:
    """Return the interval and its evidence: the ends of the bars can make it shorter than the steps alone."""
    if "name" in results[1] or lasts is None or lasts >= interval_ms(results[0]) or interval_ms(results[0]) % lasts:
        return results
    return interval_name(lasts), "the column with the end of its bars"


def check_close(lasts: int | None, interval: str, file: str) -> None:
    """Raise SourceError if the ends of the first bars tell another interval."""
    if lasts is not None and lasts != interval_ms(interval):
        raise SourceError(
            f"{file}: its bars last {interval_name(lasts)} by the column with their end, and {interval} by the file's "
            "name or its rows: give the true interval with --interval"
        )


def check_two(head: Head, layout: Layout, order: DateOrder) -> None:
    """Raise UnknownFormatError if another column with times stands one bar before those that are read.

    The one is the start and the other the end of the bars, or one is of another zone.
    """
    if layout.kind != "bar" or head.header is None or layout.ends or layout.day or "clock" in layout.columns:
        return
    named = layout.columns["time"]
    others = [name for name in head.header if name != named and name.strip().lower() in _TIMES]
    if not others:
        return
    times = milliseconds(pa.array(head.column(head.names.index(named)), pa.string()), order)
    for name in others:
        before = times - milliseconds(pa.array(head.column(head.names.index(name)), pa.string()), order)
        if len(times) > 1 and (before == before[0]).all() and 0 < before[0] <= DAY and before[0] in np.diff(times):
            raise UnknownFormatError(
                f"{head.name}: the times of columns {name!r} and {named!r} are one bar apart: call that with the start "
                "of the bars open_time, or leave the other out"
            )


def _whole(passed: int) -> int:
    """Return the length of a bar whose end is given to the ms, or by its last second."""
    seconds = -(-passed // _SECOND)
    return (seconds + 1 if seconds % 60 == 59 else seconds) * _SECOND

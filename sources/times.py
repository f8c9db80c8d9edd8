"""Cells to times in epoch milliseconds (UTC): numbers in s, ms, us or ns, and text in the ways that files write it."""

from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sources.cells import array_of, floats

Ints = npt.NDArray[np.int64]
DateOrder = Literal["day", "month"]

UNREADABLE = -1
LATEST = 10_000_000_000_000
DAY = 86_400_000
_AM_PM = "%Y-%m-%d %I-%p"
_SLASHES = {
    "day": ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y"),
    "month": ("%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y"),
}


def milliseconds(column: Any, order: DateOrder = "day") -> Ints:
    """Return a column of times as int64 [n]; `UNREADABLE` where there is none. A text without a zone is UTC.

    A number's unit is told by its size, cell by cell: below 1e11 seconds, below 1e14 ms, below 1e17 us, else ns.
    `order` is how dates with strokes are written.
    """
    times = _times(array_of(column), order)
    return np.where((times >= 0) & (times < LATEST), times, UNREADABLE)


def _times(array: Any, order: DateOrder) -> Ints:
    if pa.types.is_temporal(array.type):
        return _from_temporal(array)
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        try:
            return from_numbers(floats(pc.cast(array, pa.float64())))
        except pa.ArrowInvalid:
            return _from_text(array, order)
    return from_numbers(floats(array))


def from_numbers(values: npt.NDArray[np.float64]) -> Ints:
    """Return unix times in any unit as milliseconds; what is not in the years 1970 to 2286 is `UNREADABLE`."""
    size = np.abs(values)
    scale = np.select([size < 1e11, size < 1e14, size < 1e17], [1e3, 1.0, 1e-3], 1e-6)
    with np.errstate(invalid="ignore", over="ignore"):
        # A unix time with a fraction, or in ns, is not exact as a float: the thousandth keeps 59.999... from being 59.
        times = np.floor(values * scale + 1e-3)
        readable = (times >= 0) & (times < LATEST)
    return np.where(readable, times, UNREADABLE).astype(np.int64)


def _from_temporal(array: Any) -> Ints:
    stamps = array.cast(pa.timestamp("ms", tz=getattr(array.type, "tz", None)), safe=False)
    return np.asarray(pc.fill_null(stamps.cast(pa.int64()), UNREADABLE).to_numpy(zero_copy_only=False), dtype=np.int64)


def _from_text(array: Any, order: DateOrder) -> Ints:
    try:
        return _from_temporal(pc.cast(array, pa.timestamp("us")))
    except pa.ArrowInvalid:
        import pandas as pd  # noqa: PLC0415 - slow to import, and most files need no more than Arrow

        text = array.to_pandas().astype("str").str.strip()
    times = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    for format_ in (_AM_PM, *_SLASHES[order]):
        if not times.isna().any():
            break
        times = times.fillna(pd.to_datetime(text.where(times.isna()), format=format_, utc=True, errors="coerce"))
    numeric = pd.to_numeric(text.where(times.isna()), errors="coerce").to_numpy(dtype=np.float64)
    found = times.dt.as_unit("ms").to_numpy(dtype="datetime64[ms]").astype(np.int64)
    return np.where(times.notna().to_numpy(), found, from_numbers(numeric))


def slash_dates(column: Any) -> list[str]:
    """Return the different dates written with strokes (29/04/2013) in a column, in the order of their first rows."""
    array = array_of(column)
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return []
    dates = pc.struct_field(pc.extract_regex(array, r"^\s*(?P<date>\d{1,2}/\d{1,2}/\d{4})"), "date")
    return [text for text in pc.unique(dates).to_pylist() if text is not None]


def date_order(dates: Iterable[str]) -> DateOrder:
    """Tell how dates with strokes are written, from all of a file's different dates in their order.

    A first number over 12 proves the day first, a second number over 12 the month first. Where neither occurs, it is
    the reading in which neighbouring dates lie closer together, for files are written day after day; else the day is
    first.
    """
    numbers = [tuple(int(part) for part in text.split("/")) for text in dates]
    if any(first > 12 for first, _, _ in numbers):
        return "day"
    if any(second > 12 for _, second, _ in numbers):
        return "month"
    as_day = [date(year, second, first).toordinal() for first, second, year in numbers]
    as_month = [date(year, first, second).toordinal() for first, second, year in numbers]
    return "month" if _travelled(as_month) < _travelled(as_day) else "day"


def _travelled(days: list[int]) -> int:
    return sum(abs(after - before) for before, after in pairwise(days))

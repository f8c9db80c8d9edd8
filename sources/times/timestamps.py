"""Cells to times in epoch milliseconds (UTC), in the ways that files write them: numbers of any unit, dates, text.

The unit of a number follows from its size: the notations of times after 2001 have no number in common.
"""

from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sources.tables.cells import array_of, floats, strings
from sources.times.text import from_text
from sources.times.time_of_day import names_utc, of_day, of_minutes
from sources.times.zones import to_utc

Ints = npt.NDArray[np.int64]
DateOrder = Literal["day", "month"]

UNREADABLE = -1
LATEST = 10_000_000_000_000
DAY = 86_400_000
_UNITS = (("s", 1e9, 1e3), ("ms", 1e12, 1.0), ("us", 1e15, 1e-3), ("ns", 1e18, 1e-6))
"""The name of a unit, the number from which it counts (2001-09-09; ten times that is 2286), and how many ms it has."""
_WITH_ZONE = r"(?i)(?:Z|UTC|GMT)\)?$|[T :]\d{2,6}(?:[.,]\d+)?\s*(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?\)?$"
"""How a text ends that names its zone: behind a time of day, for 2020-09-13 does not."""
_SERIALS = (18_000.0, 80_000.0)
"""Days since 1899-12-30, as spreadsheets count, from 1949 to 2119."""
_UNIX_SERIAL = 25_569
"""1970-01-01 in these days."""


def milliseconds(
    column: Any,
    order: DateOrder = "day",
    clock: Any = None,
    zone: str | None = None,
    *,
    whole_days: bool = False,
    minute: Any = None,
    hours: bool = False,
) -> Ints:
    """Return a column of times as int64 [n]; `UNREADABLE` where there is none.

    `order` is how dates with strokes or dots are written. `clock` is a column with the time of day, where `column` has
    the day alone, in `hours` where its numbers count these, and `minute` one with the minutes beside it. A time that
    names no zone is of `zone`, UTC where that is None; one that its clock never shows, or shows twice, is unreadable.
    `whole_days` gives the start of each day.
    """
    array = array_of(column)
    times = _times(array, order)
    times = np.where((times >= 0) & (times < LATEST), times, UNREADABLE)
    if clock is not None:
        passed = of_day(array_of(clock), hours=hours)
        if minute is not None:
            beside = of_minutes(array_of(minute))
            passed = np.where((passed < 0) | (beside < 0), -1, passed + beside)
        times = np.where((times == UNREADABLE) | (times % DAY != 0) | (passed < 0), UNREADABLE, times + passed)
    if whole_days:
        times = np.where(times == UNREADABLE, times, times - times % DAY)
    if zone is None:
        return times
    without = names_no_zone(array)
    if clock is not None:
        without &= ~names_utc(array_of(clock))
    return np.where((times == UNREADABLE) | ~without, times, np.maximum(to_utc(times, zone), UNREADABLE))


def since(midnight: int, column: Any, zone: str | None) -> Ints:
    """Return the times [n] of a column of milliseconds since a midnight (ms), which is of `zone`, UTC where None."""
    passed = floats(array_of(column))
    with np.errstate(invalid="ignore"):
        known = (passed >= 0) & (passed < DAY)
        times = np.where(known, midnight + np.where(known, passed, 0), UNREADABLE).astype(np.int64)
    return times if zone is None else np.where(known, np.maximum(to_utc(times, zone), UNREADABLE), UNREADABLE)


def is_unix(values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return which numbers are unix times: these are UTC in any zone.

    >>> is_unix(np.array([1704067200, 1704067200000, 20240101, 202401011200, 45292.25])).tolist()
    [True, True, False, False, False]
    """
    result = np.zeros(len(values), dtype=bool)
    for _, least, _ in _UNITS:
        result |= (values >= least) & (values < 10 * least)
    return result


def names_no_zone(array: Any) -> npt.NDArray[np.bool_]:
    """Return which times have no zone: a date or a number of digits has none, a unix time is UTC."""
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        return np.full(len(array), getattr(array.type, "tz", None) is None)
    try:
        return ~is_unix(floats(pc.cast(array, pa.float64())))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        text = pc.utf8_trim_whitespace(strings(array))
    named = pc.fill_null(pc.match_substring_regex(text, _WITH_ZONE), False).to_numpy(zero_copy_only=False)
    without: npt.NDArray[np.bool_] = ~named & ~is_unix(floats(text))
    return without


def _times(array: Any, order: DateOrder) -> Ints:
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        return _from_temporal(array)
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        return from_numbers(floats(array))
    try:
        return from_numbers(floats(pc.cast(array, pa.float64())))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _from_text(strings(array), order)


def unit_of(value: float) -> str | None:
    """Return in words how a number writes a time, None if it writes none.

    >>> unit_of(1704067200.5), unit_of(45292.25), unit_of(20240101), unit_of(42000000)
    ('unix seconds', "a spreadsheet's days", 'yyyymmdd', None)
    """
    if not np.isfinite(value) or from_numbers(np.array([value]))[0] == UNREADABLE:
        return None
    names = {"s": "unix seconds", "ms": "unix milliseconds", "us": "unix microseconds", "ns": "unix nanoseconds"}
    text = next((names[name] for name, least, _ in _UNITS if least <= value < 10 * least), None)
    written = {8: "yyyymmdd", 12: "yyyymmddHHMM", 14: "yyyymmddHHMMSS"}
    return text or written.get(len(str(int(value))), "a spreadsheet's days")


def from_numbers(values: npt.NDArray[np.float64]) -> Ints:
    """Return times as milliseconds; `UNREADABLE` where a number writes none.

    Known are unix times in s, ms, us and ns after 2001-09-09, yyyymmdd, yyyymmddHHMM, yyyymmddHHMMSS, and days since
    1899-12-30, which spreadsheets have to the second.
    """
    result = np.full(len(values), UNREADABLE, dtype=np.int64)
    with np.errstate(invalid="ignore", over="ignore"):
        for _, least, scale in _UNITS:
            here = (values >= least) & (values < 10 * least)
            if here.any():
                # A unix time with a fraction, or in ns, is not exact as a float: the thousandth keeps 59.999... from
                # being 59.
                result[here] = np.floor(values[here] * scale + 1e-3).astype(np.int64)
        if (result != UNREADABLE).all():
            return result
        for least, most, digits in ((19e6, 21.1e6, 0), (19e10, 21.1e10, 4), (19e12, 21.1e12, 6)):
            here = (values >= least) & (values < most) & (values == np.floor(values))
            if here.any():
                result[here] = _written(values[here].astype(np.int64), digits)
        here = (values >= _SERIALS[0]) & (values < _SERIALS[1])
        if here.any():
            result[here] = np.rint((values[here] - _UNIX_SERIAL) * 86_400).astype(np.int64) * 1_000
    return result


def _written(numbers: Ints, digits: int) -> Ints:
    """Return numbers of the form yyyymmdd, with so many digits of the time of day behind it, as milliseconds."""
    days, passed = np.divmod(numbers, 10**digits)
    passed = passed * 10 ** (6 - digits)
    hour, minute, second = passed // 10_000, passed // 100 % 100, passed % 100
    month = days // 100 % 100
    months = np.clip((days // 10_000 - 1970) * 12 + month - 1, -1_000, 10_000).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + (days % 100 - 1).astype("timedelta64[D]")
    real = (month >= 1) & (month <= 12) & (dates.astype("datetime64[M]") == months) & (days % 100 >= 1)
    real &= (hour < 24) & (minute < 60) & (second < 60)
    times = dates.astype("datetime64[ms]").astype(np.int64) + ((hour * 60 + minute) * 60 + second) * 1_000
    return np.where(real, times, UNREADABLE)


def _from_temporal(array: Any) -> Ints:
    stamps = array.cast(pa.timestamp("ms", tz=getattr(array.type, "tz", None)), safe=False)
    return np.asarray(pc.fill_null(stamps.cast(pa.int64()), UNREADABLE).to_numpy(zero_copy_only=False), dtype=np.int64)


def _from_text(array: Any, order: DateOrder) -> Ints:
    for zone in (None, "UTC"):  # Arrow reads texts that all name no zone, or all an offset
        kind = pa.timestamp("ns", zone)
        try:
            array.slice(0, 1).cast(kind)  # a cast of all costs as much where each of its cells fails
            return _from_temporal(array.cast(kind))
        except pa.ArrowInvalid:
            continue
    result, numeric = from_text(array, order)
    return np.where(result == UNREADABLE, from_numbers(numeric), result)


_STROKES = r"^\s*(?P<date>(?:0?[1-9]|[1-9]\d)[/.](?:0?[1-9]|[1-9]\d)[/.][1-9]\d{3})"
"""A date with strokes or dots: 00/01/2024 is none."""


def slash_dates(column: Any) -> list[str]:
    """Return the different dates with strokes (29/04/2013) or dots in a column, in the order of their first rows."""
    array = array_of(column)
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return []
    dates = pc.struct_field(pc.extract_regex(array, _STROKES), "date")
    return [text for text in pc.unique(dates).to_pylist() if text is not None]


def date_order(dates: Iterable[str], *, within_days: bool = True) -> DateOrder | Literal["either"] | None:
    """Tell how dates with strokes or dots are written, from all of a file's different dates in their order.

    A first number over 12 proves the day first, a second number over 12 the month first; both together prove neither:
    None. Where neither occurs, it is the reading in which neighbouring dates lie closer together, for files are written
    day after day; "either" where none is closer, or where the other one is of bars of months: those are the first days
    of each, and no time of day is `within_days`. Dots have the day first unless a number over 12 tells otherwise; where
    the month first is closer, it is "either".
    """
    dates = list(dates)
    numbers = [tuple(map(int, text.replace(".", "/").split("/"))) for text in dates]
    day, month = (any(pair[place] > 12 for pair in numbers) for place in (0, 1))
    if day and month:
        return None
    if day or month:
        return "day" if day else "month"
    as_day = [date(year, second, first).toordinal() for first, second, year in numbers]
    as_month = [date(year, first, second).toordinal() for first, second, year in numbers]
    if as_day == as_month:
        return "day"
    closer = _travelled(as_month) - _travelled(as_day)
    dots = all("." in text for text in dates)
    if dots:
        return "day" if closer >= 0 else "either"
    months = not within_days and any({pair[place] for pair in numbers} == {1} for place in (0, 1))
    if not closer or months:
        return "either"
    return "month" if closer < 0 else "day"


def _travelled(days: list[int]) -> int:
    return sum(abs(after - before) for before, after in pairwise(days))

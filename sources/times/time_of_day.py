"""The time of day in a column of its own, as files write it beside a date: 09:30, 9:30:15 p.m., 93015, 0.5416667."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sources.tables.cells import strings
from sources.tables.layout import Head

Ints = npt.NDArray[np.int64]

NO_TIME = -1
CLOCKS = (
    *("time", "time of day", "time_of_day", "timeofday", "time (utc)", "time(utc)", "time utc", "time_utc", "clock"),
    *("zeit", "uhrzeit", "heure", "hora", "ora", "hour", "hours", "hour (utc)", "hour_utc", "stunde", "timestamp"),
)
"""Names of a column with the time of day beside the date, in lower case."""
HOURS = frozenset({"hour", "hours", "hour (utc)", "hour_utc", "stunde", "heure", "hora", "ora"})
"""Those in which a number alone counts hours."""
MINUTES = ("minute", "minutes", "min", "minute (utc)", "minute_utc")
_COLONS = r"^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*([AaPp][Mm])?$"
_UTC = r"(?i)(?<=[\dm. ])\s*(?:Z|UTC|GMT|[+-]00(?::?00)?)$"
_TIDY = (
    (_UTC, ""),
    (r"^(?:1899-12-3[01]|1900-01-0[01])[ T]|^0 days ", ""),  # a spreadsheet's day 0, and a span of time of pandas
    (r"(?i)\s*\b([ap])\.\s?m\.?$", r" \1m"),
    (r"(?i)^(\d{1,2})\s?h\s?(\d{2})$", r"\1:\2"),
    (r"^(\d{1,2})\.(\d{2})\.(\d{2})$", r"\1:\2:\3"),
)
"""What is written in another way than with colons, and how it is with them."""
_FRACTION = r"0?\.\d{2,}|0\.5|\d(?:\.\d+)?[eE]-\d+"
"""A spreadsheet's part of a day."""
_MINUTES, _SECONDS = 4, 6
"""Digits of a time of day without colons: HHMM, or HHMMSS where a cell has more than four."""


def of_day(array: Any, *, hours: bool = False) -> Ints:
    """Return the milliseconds since midnight of each cell [n], `NO_TIME` where it is no time of day.

    `hours` says that a number alone counts hours.
    """
    text = strings(array).to_pandas().fillna("").astype(str).str.strip()
    digits = text.str.fullmatch(r"\d{1,6}(\.0)?")
    whole = text.where(digits, "").str.removesuffix(".0")
    if hours:
        padded = whole.str.zfill(2) + ":00:00"
    else:
        length = _SECONDS if (whole.str.len() > _MINUTES).any() else _MINUTES
        padded = whole.str.zfill(length).str.ljust(_SECONDS, "0")
        padded = padded.str[:2] + ":" + padded.str[2:4] + ":" + padded.str[4:6]
    tidy = text
    for written, colons in _TIDY:
        tidy = tidy.str.replace(written, colons, regex=True)
    parts = tidy.where(~digits, padded).str.extract(_COLONS)
    hour, minute, second = (parts[place].fillna("0").astype(int).to_numpy() for place in range(3))
    fraction = parts[3].fillna("").str.ljust(3, "0").str[:3].astype(int).to_numpy()
    half = parts[4].fillna("").str.upper().to_numpy()
    twelve = half != ""
    real = (
        parts[0].notna().to_numpy()
        & (minute < 60)
        & (second < 60)
        & np.where(twelve, (hour >= 1) & (hour <= 12), hour < 24)
    )
    hour = np.where(twelve, hour % 12 + np.where(half == "PM", 12, 0), hour)
    result: Ints = np.where(real, ((hour * 60 + minute) * 60 + second) * 1_000 + fraction, NO_TIME)
    return result if hours else _with_fractions(result, text)


def of_minutes(array: Any) -> Ints:
    """Return the milliseconds that each cell [n] has as minutes of an hour, `NO_TIME` where it has none."""
    text = strings(array).to_pandas().fillna("").astype(str).str.strip().str.removesuffix(".0")
    number = text.where(text.str.fullmatch(r"\d{1,2}"), "-1").astype(int).to_numpy()
    result: Ints = np.where((number >= 0) & (number < 60), number * 60_000, NO_TIME)
    return result


def names_utc(array: Any) -> npt.NDArray[np.bool_]:
    """Return which times of day are marked as UTC."""
    result: npt.NDArray[np.bool_] = strings(array).to_pandas().fillna("").str.contains(_UTC, regex=True).to_numpy()
    return result


def is_clock(cells: Sequence[str | None], name: str = "") -> bool:
    """Return whether all cells are times of day, in a column of that name."""
    return bool(cells) and bool((of_day(pa.array(list(cells), pa.string()), hours=counts_hours(name)) >= 0).all())


def counts_hours(name: str) -> bool:
    """Return whether a number alone in a column of that name counts hours."""
    return name.strip().lower() in HOURS


def minutes_of(head: Head) -> str | None:
    """Return the column with the minutes beside one with the hour, where their first cells are such."""
    name = head.find(*MINUTES)
    if name is None:
        return None
    cells = [cell for cell in head.column(head.names.index(name)) if cell is not None]
    return name if cells and (of_minutes(pa.array(cells, pa.string())) >= 0).all() else None


def _with_fractions(result: Ints, text: Any) -> Ints:
    """Return the times with those that are written as a part of a day, to the second."""
    written = text.str.fullmatch(_FRACTION)
    if not written.any():
        return result
    part = text.where(written, "0").astype(float).to_numpy()
    return np.where(written.to_numpy() & (part < 1), np.rint(part * 86_400).astype(np.int64) * 1_000, result)

"""The time of day in a column of its own, as files write it beside a date: 09:30, 9:30:15 PM, 93015."""

from typing import Any

import numpy as np
import numpy.typing as npt

from sources.cells import strings

Ints = npt.NDArray[np.int64]

NO_TIME = -1
_COLONS = r"^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?\s*([AaPp][Mm])?$"
_MINUTES, _SECONDS = 4, 6
"""Digits of a time of day without colons: HHMM, or HHMMSS where a cell has more than four."""


def of_day(array: Any) -> Ints:
    """Return the milliseconds since midnight of each cell [n], `NO_TIME` where it is no time of day."""
    text = strings(array).to_pandas().fillna("").str.strip()
    digits = text.str.fullmatch(r"\d{1,6}(\.0)?")
    whole = text.where(digits, "").str.removesuffix(".0")
    length = _SECONDS if (whole.str.len() > _MINUTES).any() else _MINUTES
    padded = whole.str.zfill(length).str.ljust(_SECONDS, "0")
    colons = padded.str[:2] + ":" + padded.str[2:4] + ":" + padded.str[4:6]
    parts = text.where(~digits, colons).str.extract(_COLONS)
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
    found: Ints = np.where(real, ((hour * 60 + minute) * 60 + second) * 1_000 + fraction, NO_TIME)
    return found

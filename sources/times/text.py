"""Times written as text, in the ways that venues, spreadsheets and databases have. A zone but UTC is not guessed."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

NOT_READ = -1
_ZONE = r"\s*\(?(?:UTC|GMT|Z)\)?$"
_OFFSET = r"(:\d\d(?:\.\d+)?)\s*(?:UTC|GMT)?([+-](?:0\d|1[0-4])):?([0-5]\d)$"
"""What stands behind a local time: GMT+0100 in Dukascopy's files."""
_DOTS = r"^(\d{1,2})\.(\d{1,2})\.(\d{4})"
_YEAR_FIRST = r"^(\d{4})[./](\d{1,2})[./](\d{1,2})(?=\D|$)"
_BITMEX = r"^(\d{4}-\d\d-\d\d)D(?=\d\d:)"
"""BitMEX writes a D between day and time."""
_AM_PM = "%Y-%m-%d %I-%p"
_STROKES = {"day": "%d/%m/%Y", "month": "%m/%d/%Y"}
_NAMED = ("%b %d %Y", "%d %b %Y", "%d-%b-%Y", "%B %d %Y", "%d %B %Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")


def from_text(array: Any, order: Literal["day", "month"]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the times [n] in ms, `NOT_READ` where a cell has none, and its number, NaN if it has none either."""
    import pandas as pd  # noqa: PLC0415 - slow to import, and most files need no more than Arrow

    text = array.to_pandas().astype("str").str.strip()
    strokes = [f"{_STROKES[order]}{clock}" for clock in _CLOCKS]
    times = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce").dt.as_unit("us")
    times = _read(times, text, [_AM_PM, *strokes])
    if times.isna().any():
        times = _read(times, text.str.replace(_BITMEX, r"\1T", regex=True), ["ISO8601"])
    if times.isna().any():
        tidy = text.where(times.isna(), "").str.replace(_ZONE, "", case=False, regex=True).str.replace(",", "")
        tidy = tidy.str.replace(_DOTS, r"\3-\2-\1" if order == "day" else r"\3-\1-\2", regex=True).str.replace(
            _YEAR_FIRST, r"\1-\2-\3", regex=True
        )
        parts = tidy.str.extract(_OFFSET)
        tidy = tidy.str.replace(_OFFSET, r"\1", regex=True)
        others = [f"{day}{clock}" for day in ("%Y-%m-%d", _STROKES[order], *_NAMED) for clock in _CLOCKS]
        times = _read(times, tidy.str.replace(r"[ T]+", " ", regex=True), others)
        if parts[0].notna().any():
            minutes = (parts[1].fillna("0") + parts[2].fillna("00")).astype(int)
            ahead = minutes.abs() // 100 * 60 + minutes.abs() % 100
            times = times - pd.to_timedelta(ahead.where(~parts[1].fillna("").str.startswith("-"), -ahead), unit="min")
    numeric = pd.to_numeric(text.where(times.isna()), errors="coerce").to_numpy(dtype=np.float64)
    result = times.dt.as_unit("ms").to_numpy(dtype="datetime64[ms]").astype(np.int64)
    return np.where(times.notna().to_numpy(), result, NOT_READ), numeric


def _read(times: Any, text: Any, forms: Sequence[str]) -> Any:
    """Return the times with what these ways of writing read of those that are not read yet."""
    import pandas as pd  # noqa: PLC0415 - as above

    for form in forms:
        if not times.isna().any():
            break
        result = pd.to_datetime(text.where(times.isna()), format=form, utc=True, errors="coerce")
        times = times.fillna(result.dt.as_unit("us"))  # pandas fills no times that it has in another unit
    return times

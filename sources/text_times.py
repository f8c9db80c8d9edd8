"""Times written as text, in the ways that venues, spreadsheets and databases have. A zone but UTC is not guessed."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

NOT_READ = -1
_ZONE = r"\s*\(?(?:UTC|GMT|Z)\)?$"
_DOTS = r"^(\d{1,2})\.(\d{1,2})\.(\d{4})"
_YEAR_FIRST = r"^(\d{4})[./](\d{1,2})[./](\d{1,2})(?=\D|$)"
_AM_PM = "%Y-%m-%d %I-%p"
_STROKES = {"day": "%d/%m/%Y", "month": "%m/%d/%Y"}
_NAMED = ("%b %d %Y", "%d %b %Y", "%d-%b-%Y", "%B %d %Y", "%d %B %Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")


def from_text(array: Any, order: Literal["day", "month"]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the times [n] in ms, `NOT_READ` where a cell has none, and its number, NaN where it has none either."""
    import pandas as pd  # noqa: PLC0415 - slow to import, and most files need no more than Arrow

    text = array.to_pandas().astype("str").str.strip()
    strokes = [f"{_STROKES[order]}{clock}" for clock in _CLOCKS]
    times = _read(pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce"), text, [_AM_PM, *strokes])
    if times.isna().any():
        tidy = text.where(times.isna(), "").str.replace(_ZONE, "", case=False, regex=True).str.replace(",", "")
        tidy = tidy.str.replace(_DOTS, r"\3-\2-\1", regex=True).str.replace(_YEAR_FIRST, r"\1-\2-\3", regex=True)
        others = [f"{day}{clock}" for day in ("%Y-%m-%d", _STROKES[order], *_NAMED) for clock in _CLOCKS]
        times = _read(times, tidy.str.replace(r"[ T]+", " ", regex=True), others)
    numeric = pd.to_numeric(text.where(times.isna()), errors="coerce").to_numpy(dtype=np.float64)
    found = times.dt.as_unit("ms").to_numpy(dtype="datetime64[ms]").astype(np.int64)
    return np.where(times.notna().to_numpy(), found, NOT_READ), numeric


def _read(times: Any, text: Any, forms: Sequence[str]) -> Any:
    """Return the times with what these ways of writing read of those that are not read yet."""
    import pandas as pd  # noqa: PLC0415 - as above

    for form in forms:
        if not times.isna().any():
            break
        times = times.fillna(pd.to_datetime(text.where(times.isna()), format=form, utc=True, errors="coerce"))
    return times

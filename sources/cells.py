"""Cells to numbers: an empty cell is NaN, one that holds no number is infinite, so that it is never taken for empty."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sources.layout import Head

Floats = npt.NDArray[np.float64]

_EARLIEST = 1e8
"""A unix time in seconds (1973): a smaller number in a time column is no time."""


def number(cell: str | None) -> float | None:
    """Return the number in a cell, or None."""
    try:
        return float(cell or "")
    except ValueError:
        return None


def is_epoch(cells: Sequence[str | None]) -> bool:
    """Tell whether all cells are unix times, in any unit."""
    values = [number(cell) for cell in cells]
    return bool(values) and all(value is not None and value > _EARLIEST for value in values)


def is_ohlc(head: Head, places: tuple[int, int, int, int]) -> bool:
    """Tell whether the first rows have prices at those places that can be open, high, low, close in this order."""
    for row in head.rows:
        prices = [number(row[place]) for place in places]
        if any(price is None for price in prices):
            return False
        opening, high, low, close = (price or 0.0 for price in prices)
        if not 0 < low <= min(opening, close) <= max(opening, close) <= high:
            return False
    return bool(head.rows)


def array_of(column: Any) -> Any:
    """Return a column as one pyarrow array, with dictionaries resolved."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def floats(column: Any) -> Floats:
    """Return a column of text or numbers as float64 [n], exact to the last bit: NaN is empty, infinite is no number."""
    array = array_of(column)
    try:
        return _values(pc.cast(array, pa.float64()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        import pandas as pd  # noqa: PLC0415 - slow to import, and most files need no more than Arrow

        text = array.cast(pa.string()).to_pandas()
        values = pd.to_numeric(text.str.strip().replace("", None), errors="coerce").to_numpy(dtype=np.float64)
        return np.where(
            np.isnan(values) & text.notna().to_numpy() & (text.str.strip() != "").to_numpy(), np.inf, values
        )


def _values(array: Any) -> Floats:
    values: Floats = pc.fill_null(array, np.nan).to_numpy(zero_copy_only=False)
    return values

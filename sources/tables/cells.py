"""Cells to numbers: an empty cell is NaN, one that holds no number is infinite, so that it is never taken for empty."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sources.tables.layout import Head
from sources.tables.numbers import number_of, style_of

Floats = npt.NDArray[np.float64]

_EARLIEST = 1e8
"""A unix time in seconds (1973): a smaller number in a time column is no time."""
_THOUSANDS = r"^[-+]?[1-9][0-9]{0,2}(\.[0-9]{3})+$"
_PLAIN = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$"


def number(cell: str | None) -> float | None:
    """Return the number in a cell, or None."""
    return number_of(cell or "")


def is_epoch(cells: Sequence[str | None]) -> bool:
    """Return whether all cells are unix times, in any unit."""
    values = [number(cell) for cell in cells]
    return bool(values) and all(value is not None and value > _EARLIEST for value in values)


def is_ohlc(head: Head, places: tuple[int, int, int, int]) -> bool:
    """Return whether the first rows have prices at those places that can be open, high, low, close in this order."""
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


def strings(column: Any) -> Any:
    """Return a column of any type as one array of text, null where a cell is empty."""
    array = array_of(column)
    try:
        return array.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([str(cell) if cell.is_valid else None for cell in array], pa.string())


def texts(column: Any) -> list[str | None]:
    """Return the cells of a column of any type as text, None if a cell is empty."""
    results: list[str | None] = strings(column).to_pylist()
    return results


def floats(column: Any, *, continental: bool = False) -> Floats:
    """Return a column of text or numbers as float64 [n], exact to the last bit: NaN is empty, infinite is no number.

    `continental` says that a point before three digits parts thousands in a text.
    """
    array = array_of(column)
    if continental and (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return _written(array, continental=True)
    try:
        return _values(pc.cast(array, pa.float64()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _written(strings(array))


def _written(texts: Any, *, continental: bool = False) -> Floats:
    """Return the numbers in cells of text that Arrow cannot read all of."""
    trimmed = pc.utf8_trim_whitespace(pc.utf8_trim(pc.utf8_trim_whitespace(texts), '"'))  # a blank before quotes
    plain = pc.match_substring_regex(trimmed, _PLAIN)
    if continental or style_of(trimmed.filter(pc.invert(pc.fill_null(plain, True))).to_pylist()) == "continental":
        thousands = pc.fill_null(pc.match_substring_regex(trimmed, _THOUSANDS), False)
        trimmed = pc.if_else(thousands, pc.replace_substring(trimmed, ".", ""), trimmed)
    values = _values(pc.cast(pc.if_else(plain, trimmed, None), pa.float64()))
    odd = np.flatnonzero(pc.invert(pc.fill_null(plain, True)).to_numpy(zero_copy_only=False))
    cells = trimmed.take(pa.array(odd)).to_pylist()
    style = style_of(cells) or ("continental" if continental else None)
    values = values.copy()
    values[odd] = [math.nan if not cell else _known(number_of(cell, style)) for cell in cells]
    return values


def _known(value: float | None) -> float:
    return math.inf if value is None else value


def _values(array: Any) -> Floats:
    filled = pc.fill_null(array, np.nan) if array.null_count else array
    values: Floats = filled.to_numpy(zero_copy_only=False)
    return values

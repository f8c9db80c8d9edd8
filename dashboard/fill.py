"""Gives plots their rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from bokeh.models.sources import ColumnDataSource


def fill(source: ColumnDataSource, columns: Mapping[str, Any]) -> None:
    """Give a source these columns of numbers or words, unless it has them: the browser draws what it is sent."""
    before = source.data
    if before.keys() != columns.keys() or not all(_same(before[name], columns[name]) for name in columns):
        source.data = dict(columns)


def _same(one: Any, other: Any) -> bool:
    """Return whether two columns are equal; what is unknown in both is."""
    numbers = all(isinstance(column, np.ndarray) and column.dtype.kind == "f" for column in (one, other))
    return np.array_equal(one, other, equal_nan=numbers)

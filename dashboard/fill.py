"""Gives plots their rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from bokeh.models.sources import ColumnDataSource


def fill(source: ColumnDataSource, columns: Mapping[str, Any]) -> None:
    """Give a source these columns of numbers or words, unless it has them: the browser draws what it is sent."""
    before = source.data
    if before.keys() != columns.keys() or not all(np.array_equal(before[name], columns[name]) for name in columns):
        source.data = dict(columns)

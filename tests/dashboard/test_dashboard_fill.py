"""A source is given only what it has not."""

from typing import Any

import numpy as np
import pytest
from bokeh.models.sources import ColumnDataSource

from dashboard.fill import fill

COLUMNS: dict[str, Any] = {
    "numbers": np.array([1.0, np.nan]),
    "whole": np.array([1, 2]),
    "words": ["a", "b"],
    "list": [1.0, 2.0],
}


def changes(columns: dict[str, Any]) -> int:
    """Return how often a source with COLUMNS changes when it is given others."""
    source, seen = ColumnDataSource(dict(COLUMNS)), list[object]()
    source.on_change("data", lambda attr, old, new: seen.append(new))  # noqa: ARG005 - Bokeh asks for this signature
    fill(source, columns)
    assert list(source.data) == list(columns)
    return len(seen)


def test_equal_columns_are_not_sent_again() -> None:
    again = {name: column.copy() for name, column in COLUMNS.items()}
    assert changes(again) == 0
    assert changes(COLUMNS | {"list": np.array([1.0, 2.0])}) == 0


@pytest.mark.parametrize(
    "other",
    [
        {"numbers": np.array([1.0, 2.0])},
        {"numbers": np.array([np.nan, np.nan])},
        {"whole": np.array([1, 3])},
        {"words": ["a", "c"]},
        {"list": [1.0, 2.5]},
        {"another": [1, 2]},
    ],
)
def test_a_column_that_differs_is_sent(other: dict[str, Any]) -> None:
    assert changes(COLUMNS | other) == 1


def test_more_or_fewer_rows_or_columns_are_sent() -> None:
    assert changes({name: column[:1] for name, column in COLUMNS.items()}) == 1
    assert changes({name: COLUMNS[name] for name in ("numbers", "words")}) == 1

"""What is sent to the browser turns the old columns into the new ones, exactly."""

import numpy as np
from bokeh.models.sources import ColumnDataSource
from hypothesis import given
from hypothesis import strategies as st

from dashboard.live.charts import feed
from dashboard.live.columns import PATCH_ROWS, Columns, compare


def columns(times: list[int], values: list[float]) -> Columns:
    return {"time": np.array(times, dtype=np.float64), "value": np.array(values, dtype=np.float64)}


def rows(start: int, end: int, value: float = 1.0) -> Columns:
    return columns(list(range(start, end)), [value] * (end - start))


def test_a_rolling_window_sends_only_its_new_rows() -> None:
    change = compare(rows(0, 100), rows(3, 103))
    assert (change.kind, change.rows, change.patch) == ("extend", 3, ())


def test_a_row_that_was_corrected_is_overwritten() -> None:
    new = rows(0, 100)
    new["value"][42] = 7.0
    change = compare(rows(0, 100), new)
    assert (change.kind, change.rows, change.patch) == ("extend", 0, (42,))


def test_equal_columns_send_nothing_and_unknown_is_equal_to_unknown() -> None:
    assert compare(rows(0, 9, np.nan), rows(0, 9, np.nan)).kind == "none"
    assert compare(rows(0, 0), rows(0, 0)).kind == "none"


def test_another_window_is_sent_anew() -> None:
    assert compare(None, rows(0, 9)).kind == "replace"
    assert compare(rows(0, 9), rows(20, 29)).kind == "replace"
    assert compare(rows(5, 9), rows(0, 9)).kind == "replace"
    assert compare(rows(0, PATCH_ROWS + 1), rows(0, PATCH_ROWS + 1, 2.0)).kind == "replace"


windows = st.builds(
    lambda start, length, keep, values: columns(
        [start + place for place in range(length) if keep[place]],
        [values[place] for place in range(length) if keep[place]],
    ),
    st.integers(0, 12),
    st.integers(0, 12),
    st.lists(st.booleans(), min_size=12, max_size=12),
    st.lists(st.sampled_from([1.0, 2.0, np.nan]), min_size=12, max_size=12),
)


@given(windows, windows)
def test_after_any_change_the_source_holds_the_new_columns(old: Columns, new: Columns) -> None:
    source = ColumnDataSource({**old})
    feed(source, old, new)
    for name, column in new.items():
        np.testing.assert_array_equal(np.asarray(source.data[name], dtype=np.float64), column)

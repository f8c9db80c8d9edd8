"""Times in every unit and way of writing, and cells that are no numbers."""

import numpy as np
import pyarrow as pa
import pytest

from sources.cells import floats
from sources.times import UNREADABLE, date_order, milliseconds, slash_dates

T = 1_600_000_020_000


@pytest.mark.parametrize(
    "cell",
    [
        "1600000020",
        "1600000020.0",
        "1600000020000",
        "1600000020000000",
        "1600000020000000000",
        "2020-09-13 12:27",
        "2020-09-13 12:27:00",
        "2020-09-13T12:27:00Z",
        "2020-09-13T12:27:00.0000000Z",
        "2020-09-13 12:27:00+00:00",
        "2020-09-13 14:27:00+02:00",
        "13/09/2020 12:27",
        "13/09/2020 12:27:00",
    ],
)
def test_one_minute_in_many_ways(cell: str) -> None:
    assert milliseconds(pa.array([cell])).tolist() == [T]
    # A cell that cannot be read beside it changes nothing.
    assert milliseconds(pa.array([cell, "soon", None])).tolist() == [T, UNREADABLE, UNREADABLE]


def test_ways_may_be_mixed_in_one_column() -> None:
    cells = ["1600000020000", "1600000020.0", "2020-09-13 12-PM", "2020-09-13 12-AM", "2020-09-13", "", None, "-5"]
    day = 1_599_955_200_000
    expected = [T, T, day + 43_200_000, day, day, UNREADABLE, UNREADABLE, UNREADABLE]
    assert milliseconds(pa.array(cells)).tolist() == expected


@pytest.mark.parametrize(
    "column", [pa.array([T], pa.timestamp("ms")), pa.array([T * 1_000_000], pa.timestamp("ns", tz="UTC"))]
)
def test_typed_times(column: pa.Array) -> None:
    assert milliseconds(column).tolist() == [T]


def test_a_fraction_of_a_second_is_not_rounded_up_or_down() -> None:
    assert milliseconds(pa.array(["1600000020.999", "1600000020.001", "1600000020.9996"])).tolist() == [
        T + 999,
        T + 1,
        T + 999,
    ]


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        (["01/02/2020", "13/02/2020"], "day"),
        (["02/01/2020", "02/13/2020"], "month"),
        (["01/02/2020", "02/02/2020", "03/02/2020"], "day"),
        (["01/02/2020", "01/03/2020", "01/04/2020"], "month"),
        (["12/11/2020", "11/11/2020", "10/11/2020"], "day"),
        (["01/02/2020"], "day"),
        ([], "day"),
    ],
)
def test_the_order_of_day_and_month_is_proved_by_the_file(dates: list[str], order: str) -> None:
    assert date_order(dates) == order


def test_dates_with_strokes_are_found_once() -> None:
    assert slash_dates(pa.array(["01/02/2020 10:00", "01/02/2020 11:00", "2020-01-01", None])) == ["01/02/2020"]


def test_numbers_are_exact_and_a_cell_that_is_none_is_not_taken_for_empty() -> None:
    cells = ["0.1", "1e5", " 7 ", None, "", "abc", "179769.31348623157"]
    values = floats(pa.array(cells))
    assert values[[0, 1, 2, 6]].tolist() == [0.1, 1e5, 7.0, 179769.31348623157]
    assert np.isnan(values[[3, 4]]).all()
    assert np.isposinf(values[5])

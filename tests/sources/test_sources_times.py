"""Times in every unit and way of writing, and cells that are no numbers."""

import numpy as np
import pyarrow as pa
import pytest

from sources.tables.cells import floats
from sources.times.timestamps import UNREADABLE, date_order, milliseconds, slash_dates

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
def test_one_time_in_many_spellings_is_read(cell: str) -> None:
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
def test_times_of_arrow_types_are_read(column: pa.Array) -> None:
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
        (["01/02/2020"], "either"),
        (["01/02/2020", "02/01/2020"], "either"),
        (["05/05/2020"], "day"),
        (["01.02.2020"], "day"),
        (["01.02.2020", "01.03.2020", "01.04.2020"], "either"),
        (["12.30.2020", "12.31.2020"], "month"),
        ([], "day"),
    ],
)
def test_the_order_of_day_and_month_is_proved_by_the_file(dates: list[str], order: str) -> None:
    assert date_order(dates) == order


@pytest.mark.parametrize(
    "dates",
    [["01/01/2020", "01/02/2020", "01/03/2020"], ["12/01/2020", "11/01/2020"], ["01/05/2020", "01/06/2020"]],
)
def test_first_days_of_months_may_be_days_of_january(dates: list[str]) -> None:
    assert date_order(dates, within_days=False) == "either"
    assert date_order(dates) != "either"


def test_times_with_and_without_a_fraction_stand_in_one_column() -> None:
    cells = ["13.09.2020 17:57:00.000 GMT+0530", "13.09.2020 17:58:00.000 GMT+0530", "13.09.2020 17:59:00.200 GMT+0530"]
    assert milliseconds(pa.array(cells)).tolist() == [T, T + 60_000, T + 120_200]
    assert milliseconds(pa.array(["13.09.2020 12:27:00 -01:00", "13.09.2020 12:27"])).tolist() == [T + 3_600_000, T]


def test_dates_with_slashes_are_listed_once() -> None:
    assert slash_dates(pa.array(["01/02/2020 10:00", "01/02/2020 11:00", "2020-01-01", None])) == ["01/02/2020"]


def test_numbers_are_exact_and_a_cell_that_is_none_is_not_taken_for_empty() -> None:
    cells = ["0.1", "1e5", " 7 ", None, "", "abc", "179769.31348623157"]
    values = floats(pa.array(cells))
    assert values[[0, 1, 2, 6]].tolist() == [0.1, 1e5, 7.0, 179769.31348623157]
    assert np.isnan(values[[3, 4]]).all()
    assert np.isposinf(values[5])


def test_a_date_of_the_day_0_is_no_date() -> None:
    column = pa.array(["00/01/2024", "01/00/2024", "01/02/0000", "01/02/2024 10:00", "31.01.2024"])
    assert slash_dates(column) == ["01/02/2024", "31.01.2024"]

"""What is left out of a long curve before it is sent: no peak, and never more than a plot can show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.thinning import envelope, evenly


@given(st.integers(1, 5_000), st.integers(10, 400), st.integers(0, 2**32 - 1))
def test_an_envelope_keeps_the_ends_and_the_extremes_and_is_short(rows: int, most: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = np.sort(rng.uniform(0, 1, rows)), rng.standard_normal(rows)
    kept = envelope(x, y, most)
    assert len(kept) <= most
    assert {0, rows - 1, int(y.argmin()), int(y.argmax())} <= set(kept.tolist())
    assert (np.diff(kept) > 0).all()


def test_each_part_keeps_its_lowest_and_highest() -> None:
    x = np.arange(10_000.0)
    y = np.zeros(10_000)
    y[5_123], y[5_124] = 9.0, -9.0
    kept = set(envelope(x, y, 100).tolist())
    assert {5_123, 5_124} <= kept


def test_a_curve_keeps_more_points_within_the_view() -> None:
    x = np.arange(100_000.0)
    y = np.sin(x)
    whole, near = (envelope(x, y, 800, view) for view in (None, (500.0, 900.0)))
    inside = [((kept >= 500) & (kept <= 900)).sum() for kept in (whole, near)]
    assert inside[0] < 10
    assert inside[1] >= 390
    assert {0, 99_999} <= set(near.tolist())
    assert len(near) <= 800


def test_an_unknown_value_is_left_out() -> None:
    assert envelope(np.arange(4.0), np.array([np.nan, 1.0, np.nan, 2.0]), 100).tolist() == [1, 3]
    assert not len(envelope(np.arange(2.0), np.full(2, np.nan), 100))


@pytest.mark.parametrize("rows", [0, 5, 1_000])
def test_rows_are_spread_evenly_from_the_first_to_the_last(rows: int) -> None:
    kept = evenly(np.arange(rows), 100)
    assert len(kept) == min(rows, 100)
    assert not rows or (kept[0], kept[-1]) == (0, rows - 1)

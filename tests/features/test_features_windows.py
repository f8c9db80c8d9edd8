"""Sums over moving windows that are put together from halves, against each window's own."""

import numpy as np
import pytest

from features.windows import moving_powers, moving_products

VALUES = np.random.default_rng(51).standard_t(3, 300) + 5.0
OTHERS = 0.5 * VALUES + np.random.default_rng(52).normal(size=300)
START = 100


@pytest.mark.parametrize("period", [1, 2, 3, 5, 7, 60, 63, 64, 100])
def test_products_and_powers_are_those_of_each_window(period: int) -> None:
    ends = range(START + 1, len(VALUES) + 1)
    apart = np.array([VALUES[end - period : end] - VALUES[end - period : end].mean() for end in ends])
    others_apart = np.array([OTHERS[end - period : end] - OTHERS[end - period : end].mean() for end in ends])
    products = moving_products(VALUES, OTHERS, START, period)
    np.testing.assert_allclose(products, (apart * others_apart).sum(axis=1), rtol=1e-9, atol=1e-9)
    for power, found in zip((2, 3, 4), moving_powers(VALUES, START, period), strict=True):
        np.testing.assert_allclose(found, (apart**power).sum(axis=1), rtol=1e-9, atol=1e-9)


def test_where_all_are_equal_nothing_is_left_of_rounding() -> None:
    constant = np.full(300, 0.1)
    assert not moving_products(constant, OTHERS, START, 60).any()
    assert not np.array(moving_powers(constant, START, 60)).any()

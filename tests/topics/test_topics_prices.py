"""A price is shown with its digits at every size, and by one rule."""

import doctest
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics import prices
from topics.prices import LARGE, PLAIN, format_number, format_price

POSITIVE = st.floats(1e-18, 1e18)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(prices).failed == 0


@pytest.mark.parametrize(
    ("price", "passing", "whole"),
    [
        (104_312.5, "104,312.50", "104312.5"),
        (2.34567, "2.3457", "2.34567"),
        (0.9999, "0.99990", "0.9999"),
        (0.0731, "0.073100", "0.0731"),
        (3.4e-5, "0.000034000", "0.000034"),
        (1e-6, "0.0000010000", "0.000001"),
        (9.99e-7, "9.990e-7", "9.99e-7"),
        (1e-8, "1.000e-8", "1e-8"),
        (2.2630123456789e-10, "2.263e-10", "2.263012346e-10"),
        (7.1e-12, "7.100e-12", "7.1e-12"),
        (1e16, "1.000e16", "1e16"),
        (123_456_789_012.25, "123,456,789,012.25", "123456789012"),
        (0.0, "0.00", "0"),
        (-0.0731, "-0.073100", "-0.0731"),
    ],
)
def test_a_price_has_its_digits_at_every_size(price: float, passing: str, whole: str) -> None:
    assert (format_price(price), format_number(price)) == (passing, whole)


@given(POSITIVE)
def test_what_is_shown_is_the_price_to_four_digits(price: float) -> None:
    assert float(format_price(price).replace(",", "")) == pytest.approx(price, rel=5.1e-4)


@given(POSITIVE)
def test_what_is_typed_is_read_as_the_same_price(price: float) -> None:
    assert float(format_number(price)) == pytest.approx(price, rel=5.1e-10)
    assert ("e" in format_number(price)) == (not PLAIN <= price < LARGE)


@pytest.mark.parametrize("value", [inf, -inf, nan])
def test_what_is_no_number_is_said_and_does_not_raise(value: float) -> None:
    assert format_number(value) == str(value)
    assert format_price(value) in {"inf", "-inf", "nan"}

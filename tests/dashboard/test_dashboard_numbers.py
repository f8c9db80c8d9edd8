"""Numbers as the browser writes them: each label of an axis differs from the next, and a tooltip has all digits."""

import pytest
from playwright.sync_api import Page

from dashboard.static_files import asset
from topics.prices import LARGE, PLAIN, format_number

pytestmark = pytest.mark.browser

SIZES = [7.1e-12, 2.263e-10, 9.9e-9, 4.2e-7, 1.2e-6, 3.4e-5, 0.0731, 0.9999, 2.5, 104_312.5, 4.5e6]
LABEL = f"([ticks, short]) => {{{asset('numbers.js')}return ticks.map(tick => label(tick, ticks, short))}}"
NUMBER = f"values => {{{asset('numbers.js')}return values.map(value => number(value))}}"
LONGEST = 13


def ticks(middle: float, share: float) -> list[float]:
    """Return ticks as Bokeh places them: multiples of 1, 2 or 5 times a power of ten, as binary has them."""
    rough = middle * share / 6
    power = 10.0 ** len(f"{rough:.0f}") if rough >= 1 else 1.0
    while power > rough:
        power /= 10
    step = power * next((factor for factor in (1, 2, 5) if power * factor >= rough), 10)
    first = int(middle * (1 - share / 2) / step)
    return [(first + place) * step for place in range(8)]


def read(label: str) -> float:
    """Return the number that a label says."""
    unit = "kMGT".find(label[-1])
    return float(label[:-1].replace(",", "")) * 1000 ** (unit + 1) if unit >= 0 else float(label.replace(",", ""))


@pytest.mark.parametrize("middle", SIZES)
def test_each_label_of_a_price_axis_differs_and_says_its_tick(page: Page, middle: float) -> None:
    for share in (1.9, 0.3, 0.02, 0.001, 0.00003):
        placed = ticks(middle, share)
        labels = page.evaluate(LABEL, [placed, False])
        assert len(set(labels)) == len(labels)
        step = placed[1] - placed[0]
        assert [read(label) for label in labels] == pytest.approx(placed, rel=0, abs=step / 100)
        if share > 0.0005:
            assert max(map(len, labels)) <= LONGEST, labels


@pytest.mark.parametrize(
    ("placed", "labels"),
    [
        ([0, 5e15, 1e16], ["0", "5e15", "1.0e16"]),
        ([0, 2e12, 4e12], ["0", "2T", "4T"]),
        ([0, 5e8, 1e9, 1.5e9], ["0", "0.5G", "1.0G", "1.5G"]),
        ([0, 250_000, 500_000], ["0", "250k", "500k"]),
        ([0, 2_000_000, 4_000_000], ["0", "2M", "4M"]),
        ([0, 5, 10], ["0", "5", "10"]),
        ([0, 0.0005, 0.001], ["0", "0.0005", "0.0010"]),
        ([0, 2e-9, 4e-9], ["0", "2e-9", "4e-9"]),
    ],
)
def test_a_volume_axis_is_short_at_every_size(page: Page, placed: list[float], labels: list[str]) -> None:
    assert page.evaluate(LABEL, [placed, True]) == labels


@pytest.mark.parametrize(
    ("placed", "labels"),
    [
        ([2.31e-10, 2.32e-10, 2.33e-10], ["2.31e-10", "2.32e-10", "2.33e-10"]),
        ([9.8e-10, 9.9e-10, 1e-9, 1.01e-9], ["9.8e-10", "9.9e-10", "1.00e-9", "1.01e-9"]),
        ([0.0000335, 0.000034, 0.0000345], ["0.0000335", "0.0000340", "0.0000345"]),
        ([104_312, 104_312.5, 104_313], ["104,312.0", "104,312.5", "104,313.0"]),
        ([-50, 0, 50], ["-50", "0", "50"]),
        ([2.263e-10], ["2.263e-10"]),
        ([104_312.5], ["104,312.5"]),
        ([], []),
    ],
)
def test_a_price_axis_has_the_digits_that_it_needs(page: Page, placed: list[float], labels: list[str]) -> None:
    assert page.evaluate(LABEL, [placed, False]) == labels


def test_a_tooltip_says_the_same_as_the_server(page: Page) -> None:
    prices = [*SIZES, 2.2630123e-10, 1e16, 123_456_789.25, 0.1 + 0.2]
    for price, text in zip(prices, page.evaluate(NUMBER, prices), strict=True):
        assert text.replace(",", "") == format_number(price, 8)
        assert ("e" in text) == (not PLAIN <= price < LARGE)


def test_the_unknown_is_a_dash_and_nothing_is_zero(page: Page) -> None:
    assert page.evaluate(
        f"() => {{{asset('numbers.js')}return [NaN, Infinity, null, 0].map(value => number(value))}}"
    ) == [*("\u2013", "\u2013", "\u2013", "0")]

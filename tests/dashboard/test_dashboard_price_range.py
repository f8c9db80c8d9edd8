"""One wrong price does not count when the price axis is measured; a real move does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.live.columns import Columns
from dashboard.live.price_range import measured

MINUTE = 60_000.0
BARS = 240
AT = 100
SIZES = [2.263e-10, 7.1e-12, 3.4e-5, 0.9999, 104_312.5]


def candles(price: float = 100.0, bars: int = BARS) -> Columns:
    """Return bars that move by a tenth of a percent about the price, without a forecast."""
    close = price * (1 + 0.001 * np.sin(np.arange(bars) / 7))
    unknown = np.full(bars, np.nan)
    return {
        "time": MINUTE * np.arange(bars),
        **{"open": close.copy(), "high": close * 1.0002, "low": close * 0.9998, "close": close.copy()},
        **{"lower": unknown, "upper": unknown.copy(), "realised": unknown.copy()},
    }


def changed(bars: Columns, names: str, places: slice, factor: float) -> Columns:
    for name in names.split():
        bars[name][places] *= factor
    return bars


def share_of_candles(bars: Columns) -> float:
    """Return which share of the axis the ordinary candles would take."""
    limits = measured(bars)
    plain = candles(float(bars["close"][0]), len(bars["close"]))
    return float(np.ptp(plain["close"]) / (limits["most"].max() - limits["least"].min()))


@pytest.mark.parametrize("price", SIZES)
@pytest.mark.parametrize(
    ("names", "places", "factor"),
    [
        ("high close", slice(AT, AT + 1), 10.0),
        ("open high low close", slice(AT, AT + 2), 10.0),
        ("low close", slice(AT, AT + 1), 0.1),
        ("low", slice(AT, AT + 1), 0.01),
        ("high", slice(AT, AT + 1), 50.0),
        ("open high low close", slice(0, 1), 10.0),
        ("high close", slice(BARS - 1, BARS), 10.0),
        ("low close", slice(BARS - 2, BARS - 1), 1e-3),
    ],
)
def test_a_wrong_price_does_not_count(price: float, names: str, places: slice, factor: float) -> None:
    bars = candles(price)
    untouched = measured(candles(price))
    wrong = changed(bars, names, places, factor)
    limits = measured(wrong)
    assert limits["most"].max() == pytest.approx(untouched["most"].max(), rel=2e-3)
    assert limits["least"].min() == pytest.approx(untouched["least"].min(), rel=2e-3)


@pytest.mark.parametrize(
    ("names", "places", "factor"),
    [
        ("low close", slice(AT, AT + 1), 0.7),  # a crash of 30 % that is over after a minute
        ("low", slice(AT, AT + 1), 0.55),
        ("high close", slice(AT, AT + 1), 1.9),
        ("open high low close", slice(AT, None), 0.7),
        ("open high low close", slice(AT, None), 0.05),  # one that stays
        ("open high low close", slice(AT, None), 10.0),
        ("open high low close", slice(AT, AT + 3), 0.2),  # one of three minutes
        ("open high low close", slice(BARS - 3, None), 0.1),  # one that has just come
    ],
)
def test_a_real_move_counts(names: str, places: slice, factor: float) -> None:
    bars = changed(candles(), names, places, factor)
    limits = measured(bars)
    assert limits["least"].min() == pytest.approx(bars["low"].min(), rel=1e-3)
    assert limits["most"].max() == pytest.approx(bars["high"].max(), rel=1e-3)


def test_a_crash_that_has_just_come_counts_with_the_second_bar() -> None:
    crash = changed(candles(), "open high low close", slice(AT, None), 0.3)
    seen = []
    for end in range(AT + 1, AT + 5):
        part = {name: column[:end] for name, column in crash.items()}
        seen.append(measured(part)["least"].min() == pytest.approx(part["low"].min(), rel=1e-3))
    assert seen == [False, True, True, True]


@pytest.mark.parametrize("width", [0.2, 3.0, 40.0])
def test_a_vast_interval_leaves_the_candles_readable(width: float) -> None:
    bars = candles()
    bars["lower"], bars["upper"] = bars["close"] * np.exp(-width), bars["close"] * np.exp(width)
    assert share_of_candles(bars) > 0.2
    limits = measured(bars)
    assert (limits["least"] == limits["floor"]).all()
    assert (limits["most"] == limits["ceiling"]).all()


def test_an_ordinary_interval_counts_as_it_is() -> None:
    bars = candles()
    bars["lower"], bars["upper"] = bars["close"] * 0.999, bars["close"] * 1.001
    limits = measured(bars)
    np.testing.assert_array_equal(limits["least"], np.minimum(bars["low"], bars["lower"]))
    np.testing.assert_array_equal(limits["most"], np.maximum(bars["high"], bars["upper"]))


@pytest.mark.parametrize("bars", [1, 2, 3, 6, 11])
def test_a_few_bars_set_the_range(bars: int) -> None:
    few = candles(2.263e-10, bars)
    limits = measured(few)
    np.testing.assert_array_equal(limits["least"], few["low"])
    np.testing.assert_array_equal(limits["most"], few["high"])


@given(st.lists(st.floats(-12, 12), min_size=1, max_size=40))
def test_whatever_the_prices_the_range_is_of_some_and_finite(powers: list[float]) -> None:
    close = 10.0 ** np.array(powers)
    bars = candles(bars=len(powers)) | dict.fromkeys(("open", "high", "low", "close"), close)
    limits = measured(bars)
    assert np.isfinite(limits["least"]).all()
    assert (limits["least"] <= limits["most"]).all()
    assert limits["least"].min() >= close.min()
    assert limits["most"].max() <= close.max()

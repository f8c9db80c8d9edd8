"""The fan starts at the last price and opens by the forecast's quantiles, in price and in event time."""

import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dashboard.live.fan import BANDS, LEVELS, NewestForecast, at, build, slots

MINUTE = 60_000
QUANTILES = (-0.02, -0.015, -0.01, 0.0, 0.01, 0.015, 0.02)


def said(horizon: int, quantiles: tuple[float, ...] | None = QUANTILES) -> NewestForecast:
    return NewestForecast(time=10 * MINUTE, price=100.0, horizon=horizon, quantiles=quantiles, p_up=0.6)


def test_the_fan_starts_at_the_bars_price_and_ends_at_the_targets() -> None:
    fan = build([said(5), said(1)], "1m")
    assert fan["time"].tolist() == [10 * MINUTE, 11 * MINUTE, 15 * MINUTE]
    assert [fan[level][0] for level in LEVELS] == [100.0] * len(LEVELS)
    assert fan["q05"][1] == 100 * math.exp(-0.02)
    assert fan["q95"][2] == 100 * math.exp(0.02)


def test_horizons_are_counted_in_intervals() -> None:
    assert build([said(2)], "1h")["time"][1] == 10 * MINUTE + 2 * 3_600_000


def test_a_model_without_a_forecast_has_no_fan() -> None:
    fan = build([said(1, None), said(5, None)], "1m")
    assert {name: len(column) for name, column in fan.items()} == dict.fromkeys(fan, 0)
    assert len(build([], "1m")["time"]) == 0


def test_a_horizon_without_quantiles_is_left_out() -> None:
    assert build([said(1), said(5, None), said(15)], "1m")["horizon"].tolist() == [0, 1, 15]


def test_the_chosen_horizon_is_one_row() -> None:
    fan = build([said(1), said(15)], "1m")
    assert at(fan, 15)["time"].tolist() == [25 * MINUTE]
    assert len(at(fan, 60)["time"]) == 0


@given(st.lists(st.floats(-0.5, 0.5), min_size=7, max_size=7).map(sorted), st.floats(1e-6, 1e6))
def test_bands_are_nested_and_never_negative(quantiles: list[float], price: float) -> None:
    fan = build([NewestForecast(time=0.0, price=price, horizon=15, quantiles=tuple(quantiles), p_up=None)], "1m")
    for (_, low, high), (_, inner_low, inner_high) in pairwise(BANDS):
        assert np.all(fan[low] <= fan[inner_low])
        assert np.all(fan[inner_low] <= fan[inner_high])
        assert np.all(fan[inner_high] <= fan[high])
    assert np.all(fan["q05"] > 0)


def test_every_time_ahead_belongs_to_the_nearest_point() -> None:
    points = slots({"time": np.array([10.0, 20.0, 60.0])}, 5.0)
    assert points["left"].tolist() == [5.0, 15.0, 40.0]
    assert points["right"].tolist() == [15.0, 40.0, 80.0]
    assert slots({"time": np.array([10.0])}, 5.0)["right"].tolist() == [15.0]
    assert slots({"time": np.empty(0)}, 5.0)["left"].tolist() == []

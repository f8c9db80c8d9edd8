"""Intervals hold what they promise, whatever the base forecast and the market; exactly, wherever the rows are cut."""

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_data import MINUTE, START, bars_of, features_of, market

from features.frame import FeatureFrame, Floats
from models import calibration
from models.calibration import Calibration
from models.distribution import NORMAL
from models.forecaster import Forecasts
from models.labels import targets
from models.naive import Naive
from topics.records import HORIZONS, QUANTILES


def wide(frame: FeatureFrame, scale: float) -> Forecasts:
    """Return normal forecasts with one scale a bar, right or wrong."""
    scales = np.full((len(frame), 1), scale) * np.sqrt(HORIZONS)
    return Forecasts(0 * scales, scales, scales[:, :, None] * NORMAL, 0 * scales + 0.5)


def coverage(frame: FeatureFrame, quantiles: Floats, start: int) -> Floats:
    """Return per horizon the share of labels inside the outermost quantiles."""
    realised = targets(frame, np.ones(len(frame)), HORIZONS, np.inf) * np.sqrt(HORIZONS)
    known = ~np.isnan(realised) & ~np.isnan(quantiles[:, :, 0])
    known[:start] = False
    inside = (quantiles[:, :, 0] <= realised) & (realised <= quantiles[:, :, -1])
    return np.array([inside[known[:, column], column].mean() for column in range(len(HORIZONS))])


def calibrate(frame: FeatureFrame, forecasts: Forecasts) -> Floats:
    return calibration.step(Calibration.initial(len(HORIZONS)), frame, forecasts, HORIZONS)[1]


@pytest.mark.parametrize("scale", [3e-4, 1e-3, 5e-3])
def test_changing_volatility_and_a_wrong_scale_still_give_ninety_percent(scale: float) -> None:
    frame = features_of(market("COIN", 40_000, 4, gaps=0.1))
    found = coverage(frame, calibrate(frame, wide(frame, scale)), start=10_000)
    assert np.abs(found - 0.9).max() < 0.01


def test_a_market_that_often_stands_still_drives_no_quantile_away() -> None:
    rng = np.random.default_rng(3)
    returns = rng.standard_t(3, 40_000) * 1e-3 * (rng.random(40_000) < 0.4)
    time = START + MINUTE * np.arange(40_000, dtype=np.int64)
    frame = features_of(bars_of("COIN", time, 100 * np.exp(np.cumsum(returns))))
    quantiles = calibrate(frame, wide(frame, 1e-3))
    assert np.abs(coverage(frame, quantiles, 10_000) - 0.9).max() < 0.01
    assert np.abs(quantiles[:, 0]).max() < 1e-2  # ten times the scale


def test_where_the_model_says_nothing_nothing_is_said_or_learnt() -> None:
    frame = features_of(market("COIN", 200, 4))
    silent = wide(frame, np.nan)
    state, quantiles = calibration.step(Calibration.initial(len(HORIZONS)), frame, silent, HORIZONS)
    assert np.isnan(quantiles).all()
    assert not state.offset.any()


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 500), max_size=6).map(sorted))
def test_cutting_anywhere_changes_no_bit(cuts: list[int]) -> None:
    frame = features_of(market("COIN", 500, 8, gaps=0.2))
    forecasts = wide(frame, 1e-3)
    expected = calibrate(frame, forecasts)
    state, parts = Calibration.initial(len(HORIZONS)), []
    for first, end in zip([0, *cuts], [*cuts, len(frame)], strict=True):
        if end > first:
            state = Calibration.from_json(msgspec.json.decode(msgspec.json.encode(state.to_json())))
            part = Forecasts(*(column[first:end] for column in vars(forecasts).values()))
            state, quantiles = calibration.step(state, frame[first:end], part, HORIZONS)
            parts.append(quantiles)
    assert np.concatenate(parts).tobytes() == expected.tobytes()


def test_every_quantile_of_real_minutes_holds_its_level(shared_data: Path) -> None:
    table = pd.read_parquet(shared_data / "panel_bitfinex_1m" / "btcusd.parquet").iloc[:60_000]
    time, close = table["time"].to_numpy(np.int64), table["close"].to_numpy(np.float64)
    frame = features_of(bars_of("BTCUSD", time, close))
    model = Naive()
    model.fit([frame[:15_000]], seed=0)
    month = frame[15_000:]
    quantiles = calibrate(month, model.step(model.initial(), month)[1])
    assert np.abs(coverage(month, quantiles, 0) - 0.9).max() < 0.01
    realised = targets(month, np.ones(len(month)), HORIZONS, np.inf) * np.sqrt(HORIZONS)
    for column in range(len(HORIZONS)):
        known = ~np.isnan(realised[:, column]) & ~np.isnan(quantiles[:, column, 0])
        below = (realised[known, column, None] <= quantiles[known, column]).mean(axis=0)
        outer = [0, 1, 5, 6]  # the middle ones lie where a minute stands still, and no level can be met
        assert np.abs(below - QUANTILES)[outer].max() < 0.015

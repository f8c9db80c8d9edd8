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
from models.baselines.naive import Naive
from models.forecaster import Forecasts
from models.intervals import calibration
from models.intervals.calibration import Calibration
from models.intervals.distribution import NORMAL
from models.labels import targets
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
    result = coverage(frame, calibrate(frame, wide(frame, scale)), start=10_000)
    assert np.abs(result - 0.9).max() < 0.01


def test_a_market_that_often_stands_still_drives_no_quantile_away() -> None:
    rng = np.random.default_rng(3)
    returns = rng.standard_t(3, 40_000) * 1e-3 * (rng.random(40_000) < 0.4)
    time = START + MINUTE * np.arange(40_000, dtype=np.int64)
    frame = features_of(bars_of("COIN", time, 100 * np.exp(np.cumsum(returns))))
    quantiles = calibrate(frame, wide(frame, 1e-3))
    assert np.abs(coverage(frame, quantiles, 10_000) - 0.9).max() < 0.01
    assert np.abs(quantiles[:, 0]).max() < 1e-2  # ten times the scale


def test_without_a_forecast_nothing_is_calibrated_or_learnt() -> None:
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


@pytest.mark.slow
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


def oracle(frame: FeatureFrame, forecasts: Forecasts, column: int) -> Floats:
    """The quantiles of one horizon by the definition, row by row over lists, as the docstring of the module says."""
    horizon, levels = HORIZONS[column], list(QUANTILES)
    shared, tercile, quarter = np.zeros(7), np.zeros((3, 7)), np.zeros((4, 7))
    size, labels, limits, seen = 1.0, 0, [0.0, 0.0], 0
    values: dict[int, tuple[float, float, int, int, Floats]] = {}
    closes = dict(zip(frame.time.tolist(), frame.close.tolist(), strict=True))
    waiting: list[int] = []
    result = np.full((len(frame), 7), np.nan)
    for row, time in enumerate(frame.time.tolist()):
        while waiting and waiting[0] + horizon * MINUTE <= time:
            made = waiting.pop(0)
            price, scale, which, when, raw = values[made]
            if made + horizon * MINUTE in closes and not np.isnan(scale):
                realised = np.log(closes[made + horizon * MINUTE] / price)
                labels += 1
                size = 0.999 * size + 0.001 * abs(realised) / (scale * np.sqrt(2 / np.pi))
                step = 0.02 / np.sqrt(horizon) * max(size, 1.0) * (np.array(levels) - (realised <= raw))
                shared += (0.75 if labels > 2_000 else 1.0) * step
                tercile[which] += (0.25 if labels > 2_000 else 0.0) * step
                quarter[when] += (0.25 if labels > 2_000 else 0.0) * step
        scale = float(forecasts.scale[row, column])
        which, when = 0, time // 21_600_000 % 4
        raw = np.full(7, np.nan)
        if not np.isnan(scale):
            log = np.log(scale)
            limits = [log, log] if seen == 0 else limits
            which = int(log > limits[0]) + int(log > max(limits))
            seen += 1
            moved = max(3e-4, 1 / (seen + 1))
            limits = [limit + moved * (k / 3 - (log <= limit)) for k, limit in enumerate(limits, 1)]
            raw = forecasts.quantiles[row, column] + scale * (shared + tercile[which] + quarter[when])
        result[row] = np.sort(raw)
        values[time] = (float(frame.close[row]), scale, which, when, raw)
        waiting.append(time)
    return result


def changing(frame: FeatureFrame, error: Floats) -> Forecasts:
    """Return normal forecasts whose scale is the true one of `model_data.market`, wrong by a factor a bar."""
    true = 1e-3 * np.exp(0.5 * np.sin((frame.time - START) / MINUTE / 300.0))
    scales = (true * error)[:, None] * np.sqrt(HORIZONS)
    return Forecasts(0 * scales, scales, scales[:, :, None] * NORMAL, 0 * scales + 0.5)


@pytest.mark.parametrize("column", [0, 2])
def test_calibration_equals_a_plain_loop(column: int) -> None:
    frame = features_of(market("COIN", 6_000, 4, gaps=0.1))
    forecasts = changing(frame, np.where(np.arange(len(frame)) < 100, np.nan, 0.7))
    result = calibrate(frame, forecasts)[:, column]
    assert np.allclose(result, oracle(frame, forecasts, column), rtol=1e-9, atol=1e-12, equal_nan=True)


def test_an_error_of_the_scale_in_one_tercile_is_mended_there() -> None:
    frame = features_of(market("COIN", 60_000, 4))
    right = changing(frame, np.ones(len(frame))).scale[:, 0]
    group = np.searchsorted(np.quantile(right, [1 / 3, 2 / 3]), right)
    forecasts = changing(frame, np.array([0.6, 1.0, 1.6])[group])
    quantiles = calibrate(frame, forecasts)
    shared = np.array([coverage_of(frame, quantiles, (group == which) & later(frame)) for which in range(3)])
    assert np.abs(shared - 0.9).max() < 0.02
    raw = np.array([coverage_of(frame, forecasts.quantiles, (group == which) & later(frame)) for which in range(3)])
    assert np.abs(raw - 0.9).max() > 0.1


def test_an_error_of_the_scale_at_one_time_of_day_is_mended_there() -> None:
    frame = features_of(market("COIN", 60_000, 4))
    quarter = frame.time // 21_600_000 % 4
    forecasts = changing(frame, np.array([1.5, 1.0, 0.7, 1.0])[quarter])
    quantiles = calibrate(frame, forecasts)
    held = np.array([coverage_of(frame, quantiles, (quarter == which) & later(frame)) for which in range(4)])
    assert np.abs(held - 0.9).max() < 0.02


def test_coverage_returns_after_the_scale_goes_wrong_for_good() -> None:
    frame = features_of(market("COIN", 60_000, 4))
    forecasts = changing(frame, np.where(np.arange(len(frame)) < 20_000, 1.0, 0.4))
    result = coverage(frame, calibrate(frame, forecasts), start=25_000)
    assert np.abs(result - 0.9).max() < 0.015


def test_a_state_of_a_version_without_groups_begins_anew() -> None:
    old = {"offset": [[0.5] * 7], "size": [1.0], "pending": [[]]}
    assert Calibration.from_json(old).to_json() == Calibration.initial(1).to_json()


def later(frame: FeatureFrame) -> np.ndarray:
    return np.arange(len(frame)) >= 10_000


def coverage_of(frame: FeatureFrame, quantiles: Floats, rows: np.ndarray) -> float:
    """Return the share of those rows' one-bar labels inside the outermost quantiles."""
    realised = targets(frame, np.ones(len(frame)), HORIZONS, np.inf)[:, 0]
    known = rows & ~np.isnan(realised) & ~np.isnan(quantiles[:, 0, 0])
    return float(((quantiles[:, 0, 0] <= realised) & (realised <= quantiles[:, 0, -1]))[known].mean())

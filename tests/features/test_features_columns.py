"""What every column of the table must hold; a new line in the table is tested here without a new test."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
import ta
from feature_bars import MINUTE, frame_of, real, spoilt, walk

from features.frame import Floats
from features.step import FeatureStep
from features.table import FEATURES, LONGEST_GAP, NAMES, Feature

COLUMNS = [pytest.param(feature, k, id=name) for feature in FEATURES for k, name in enumerate(feature.names)]
WITH_REFERENCE = [param for param in COLUMNS if param.values[0].reference]
FORGOTTEN = 1_000
"""Bars after which a recursive average no longer knows how it began: ta begins with the first value, we (as TA-Lib)
with the mean of the first window."""
LAST_ROWS = 1
"""ta leaves +DI and -DI at 0 in the last row; it also has ADX, +DI, -DI and ATR at 0 while they are unknown."""
PRICES = ("open", "high", "low", "close")


def values_of(bars: pd.DataFrame) -> Floats:
    step = FeatureStep()
    return step.step(step.initial(), frame_of(bars))[1].values


@cache
def clean() -> Floats:
    return values_of(walk(1_500, seed=1))


@cache
def thin() -> Floats:
    return values_of(spoilt(walk(3_000, seed=5), seed=6))


@cache
def real_bars(symbol: str) -> pd.DataFrame:
    """20,000 minutes without a gap after which indicators begin anew, index from 0."""
    bars = pd.read_parquet(real("panel_bitfinex_1m", f"{symbol}.parquet")).iloc[:40_000]
    pieces = (bars["time"].diff() > (LONGEST_GAP + 1) * MINUTE).cumsum()
    return bars[pieces == pieces.mode()[0]].iloc[:20_000].reset_index(drop=True)


@cache
def real_values(symbol: str) -> Floats:
    return values_of(real_bars(symbol))


def reference(feature: Feature, k: int, bars: pd.DataFrame) -> Floats:
    series = {name: bars[name] for name in (*PRICES, "volume")}
    time = pd.to_datetime(bars["time"], unit="ms")
    with np.errstate(all="ignore"):
        answer = eval(feature.reference[k], {"ta": ta, "np": np, "pd": pd, "time": time, **series})  # noqa: S307 - our own table
    return np.asarray(answer, dtype=np.float64)


@pytest.mark.parametrize(("feature", "k"), WITH_REFERENCE)
@pytest.mark.parametrize("symbol", ["btcusd", "ltcusd"])
def test_the_column_equals_its_reference_on_real_minutes(feature: Feature, k: int, symbol: str) -> None:
    bars = real_bars(symbol)
    begin = FORGOTTEN if feature.state else feature.warmup - 1
    ours = real_values(symbol)[begin:-LAST_ROWS, NAMES.index(feature.names[k])]
    theirs = reference(feature, k, bars)[begin:-LAST_ROWS].copy()
    known = np.isfinite(ours)
    assert known.mean() > 0.99
    size = np.abs(theirs[known]).mean()
    if not feature.state:
        # pandas' rolling deviation keeps the rounding of what has left the window, so ta's Bollinger bands are off by
        # up to 1e-5 in quiet hours: where the two differ, the reference is asked again with the row's own window alone.
        for row in np.flatnonzero(known & (np.abs(ours - theirs) > 1e-8 * size)):
            end = begin + row + 1
            theirs[row] = reference(feature, k, bars[end - feature.warmup : end].reset_index(drop=True))[-1]
    np.testing.assert_allclose(ours[known], theirs[known], rtol=1e-8, atol=1e-8 * size)


@pytest.mark.parametrize(("feature", "k"), COLUMNS)
def test_the_column_is_unknown_until_its_warmup_and_then_known(feature: Feature, k: int) -> None:
    column = clean()[:, NAMES.index(feature.names[k])]
    assert np.isnan(column[: feature.warmup - 1]).all()
    assert np.isfinite(column[feature.warmup - 1 :]).all()


@pytest.mark.parametrize(("feature", "k"), COLUMNS)
@pytest.mark.parametrize("present", [0, 250, 700, 1_498])
def test_no_later_bar_changes_the_column(feature: Feature, k: int, present: int) -> None:
    column = NAMES.index(feature.names[k])
    np.testing.assert_array_equal(other_future(present)[: present + 1, column], clean()[: present + 1, column])


@cache
def other_future(present: int) -> Floats:
    bars = walk(1_500, seed=1)
    later = bars.index > present
    bars[later] = walk(1_500, seed=2)[later]
    return values_of(bars)


@pytest.mark.parametrize(("feature", "k"), COLUMNS)
def test_the_column_moves_and_is_never_infinite(feature: Feature, k: int) -> None:
    column = thin()[:, NAMES.index(feature.names[k])]
    assert np.nanstd(column) > 0
    assert not np.isinf(column).any()


def test_the_price_level_does_not_matter() -> None:
    """Models are pooled over symbols: a thousandfold price must give the same features."""
    bars = walk(600, seed=3)
    dear = bars.assign(**{name: bars[name] * 1_024 for name in PRICES})
    np.testing.assert_allclose(values_of(dear), values_of(bars), rtol=1e-9, atol=1e-12)


def test_names_are_unique_and_every_feature_is_explained() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for feature in FEATURES:
        assert feature.definition
        assert feature.unit
        assert feature.source
        assert feature.warmup >= 1
        assert len(feature.reference) in (0, len(feature.names))

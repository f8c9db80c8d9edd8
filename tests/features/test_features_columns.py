"""What every column of the table must hold; a new line in the table is tested here without a new test."""

import re
import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import ta
import talib
from feature_bars import MINUTE, SHARED, beside, frame_of, real, spoilt, walk

from features.frame import BAR_COLUMNS, Floats
from features.step import FeatureStep
from features.table import FEATURES, KINDS, LONGEST_GAP, NAMES, UNITS, Feature
from settings import ROOT

COLUMNS = [pytest.param(feature, k, id=name) for feature in FEATURES for k, name in enumerate(feature.names)]
ORACLES = ("ta", "talib", "reference")
COMPARED = [
    pytest.param(feature, k, oracle, id=f"{name}-{oracle}")
    for feature in FEATURES
    for k, name in enumerate(feature.names)
    for oracle in ORACLES
    if getattr(feature, oracle) and getattr(feature, oracle)[k] and not (oracle == "ta" and feature.peculiar)
]
FORGOTTEN = 1_500
"""Bars after which a recursive average no longer knows how it began: ta begins with the first value, we (as TA-Lib)
with the mean of the first window."""
LAST_ROWS = 1
"""ta leaves +DI and -DI at 0 in the last row; it also has ADX, +DI, -DI and ATR at 0 while they are unknown."""
ROWS = 10_000
PANEL = tuple(name for name in ("btcusd", "ltcusd") if (SHARED / "data/panel_bitfinex_1m" / f"{name}.parquet").exists())
"""Coins of the real data, where that is: the oracles are asked about the bundled BTCUSDT in any case."""
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
    """Minutes without a gap after which indicators begin anew, index from 0, beside a market made of two symbols."""
    bundled = ROOT / "sample" / f"{symbol}-1m.csv.gz"
    bars = (
        pd.read_csv(bundled)
        if bundled.exists()
        else pd.read_parquet(real("panel_bitfinex_1m", f"{symbol}.parquet")).iloc[:40_000]
    )
    pieces = (bars["time"].diff() > (LONGEST_GAP + 1) * MINUTE).cumsum()
    bars = bars[pieces == pieces.mode()[0]].iloc[:ROWS].reset_index(drop=True)
    return bars.assign(**beside(bars, seed=41))


@cache
def real_values(symbol: str) -> Floats:
    return values_of(real_bars(symbol))


@cache
def all_of_ta(symbol: str) -> dict[str, "pd.Series[float]"]:
    """Every column of ta's add_all_ta_features."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of ta's own making, under today's pandas
        result = ta.add_all_ta_features(real_bars(symbol)[[*PRICES, "volume"]].copy(), *PRICES, "volume")
    return {name: result[name] for name in result.columns if name not in (*PRICES, "volume")}


def series_of(bars: pd.DataFrame) -> dict[str, Any]:
    series = {name: bars[name] for name in BAR_COLUMNS if name in bars}
    returns = np.log(bars["close"]).diff()
    return {"np": np, "pd": pd, "time": pd.to_datetime(bars["time"], unit="ms"), "returns": returns, **series}


def asked(feature: Feature, k: int, oracle: str, bars: pd.DataFrame, known: dict[str, Any]) -> Floats:
    """Return what the oracle answers to the table's expression."""
    names = series_of(bars) | known
    if oracle == "talib":
        names |= {name: column.to_numpy() for name, column in names.items() if isinstance(column, pd.Series)}
        names |= {name: getattr(talib, name) for name in talib.get_functions()}
    with np.errstate(all="ignore"):
        answer = eval(getattr(feature, oracle)[k], names)  # noqa: S307 - our own table
    return np.asarray(answer, dtype=np.float64).copy()


def test_the_oracles_are_asked_about_the_panel_too() -> None:
    """One skipped test says what is not there, in place of hundreds."""
    for name in ("btcusd", "ltcusd"):
        assert real("panel_bitfinex_1m", f"{name}.parquet").exists()
    assert len(PANEL) == 2


@pytest.mark.parametrize(("feature", "k", "oracle"), COMPARED)
@pytest.mark.parametrize("symbol", ["BTCUSDT", *PANEL])
def test_the_column_equals_its_reference_on_real_minutes(feature: Feature, k: int, oracle: str, symbol: str) -> None:
    bars = real_bars(symbol)
    begin = FORGOTTEN if feature.state else feature.warmup - 1
    ours = real_values(symbol)[begin:-LAST_ROWS, NAMES.index(feature.names[k])]
    known = all_of_ta(symbol) if oracle == "ta" else {}
    theirs = asked(feature, k, oracle, bars, known)[begin:-LAST_ROWS]
    both = np.isfinite(ours) & np.isfinite(theirs)
    assert np.isfinite(ours).mean() > 0.9
    assert both.sum() >= 0.99 * np.isfinite(ours).sum()
    size = np.abs(theirs[both]).mean()
    off = both & (np.abs(ours - theirs) > 1e-8 * (np.abs(theirs) + size))
    if not feature.state:
        # Running sums keep the rounding of what has left the window: pandas' deviations, and so ta's Bollinger bands,
        # are off by up to 1e-5 in quiet hours, TA-Lib's likewise. Where the two differ, the reference is asked again
        # with the row's own window alone.
        for row in np.flatnonzero(off):
            end = begin + row + 1
            alone = bars[end - feature.warmup : end].reset_index(drop=True)
            again = all_again(alone) if oracle == "ta" else {}
            theirs[row] = asked(feature, k, oracle, alone, again)[-1]
    np.testing.assert_allclose(ours[both], theirs[both], rtol=1e-8, atol=1e-8 * size)


def all_again(bars: pd.DataFrame) -> dict[str, "pd.Series[float]"]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        result = ta.add_all_ta_features(bars[[*PRICES, "volume"]].copy(), *PRICES, "volume", vectorized=True)
    return {name: result[name] for name in result.columns if name not in (*PRICES, "volume")}


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


def test_a_thousandfold_price_changes_what_is_in_its_units_alone() -> None:
    """Models are pooled over symbols: they see the others as they are, and prices from the close."""
    bars = walk(600, seed=3)
    dear = bars.assign(**{name: bars[name] * 1_024 for name in PRICES})
    values, dear_values = values_of(bars), values_of(dear)
    for k, name in enumerate(NAMES):
        if KINDS[name] not in ("amount", "history"):
            factor = 1_024 if KINDS[name] in ("level", "change") else 1
            np.testing.assert_allclose(
                dear_values[:, k], factor * values[:, k], rtol=1e-9, atol=1e-12 * factor, err_msg=name
            )


def test_every_column_of_ta_is_there() -> None:
    """And nothing of ta's is called by a name that it does not have."""
    mentioned = {word for feature in FEATURES for text in feature.ta for word in re.findall(r"[a-z]+_\w+", text)}
    assert mentioned == set(all_of_ta("btcusd"))


def test_what_is_peculiar_in_ta_is_checked_elsewhere() -> None:
    for feature in FEATURES:
        if feature.peculiar:
            assert feature.ta
            assert any(feature.talib) or any(feature.reference), feature.names


def test_names_are_unique_and_every_feature_is_explained() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for feature in FEATURES:
        assert feature.definition
        assert feature.source
        assert feature.warmup >= 1
        assert len(feature.units) == len(feature.names)
        assert set(feature.units) <= set(UNITS)
        for oracle in ORACLES:
            assert len(getattr(feature, oracle)) in (0, len(feature.names))

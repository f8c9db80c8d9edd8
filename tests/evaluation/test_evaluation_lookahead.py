"""A column that uses later bars, or depends on the first one, is found, with how much; the product's own use none."""

import numpy as np
import pytest

from evaluation.lookahead import COMPARED, futures, starts
from features.definition import DEFAULT
from features.frame import BarFrame, Floats
from features.step import FeatureStep
from features.table import FEATURES

MINUTE = 60_000


def market(rows: int = 6_000) -> BarFrame:
    random = np.random.default_rng(3)
    close = 100 * np.exp(np.cumsum(random.normal(0, 1e-3, rows)))
    time = 1_700_000_040_000 + MINUTE * np.arange(rows)
    columns = dict.fromkeys(("open", "high", "low", "close"), close)
    return BarFrame.build("BTCUSDT", "1m", time, volume=random.lognormal(0, 1, rows), **columns)


def previous(bars: BarFrame) -> Floats:
    return np.concatenate(([np.nan], np.diff(np.log(bars.close))))


def leaks(bars: BarFrame) -> Floats:
    """Return a correct column; the next bar's return; a return over the spread of all bars; and one that is known only
    once the bar after is there."""
    returns = previous(bars)
    following = np.concatenate((returns[1:], [0.0]))
    known = np.where(np.arange(len(bars)) < len(bars) - 1, returns, np.nan)
    return np.column_stack((returns, following, returns / np.nanstd(returns), known))


def test_columns_that_use_later_bars_are_found_with_how_many_rows_and_how_much() -> None:
    bars = market()
    found = {one.column: one for one in futures(leaks, ("fine", "next", "scaled", "late"), bars)}
    assert set(found) == {"next", "scaled", "late"}
    assert found["next"].rows == found["late"].rows == 8
    assert found["late"].deviations == np.inf
    assert 0.01 < found["next"].deviations < 10
    assert found["scaled"].rows > 0.9 * found["scaled"].compared
    ends = np.linspace(0, len(bars), 10, dtype=int)[1:-1]
    assert found["next"].compared == sum(min(end, COMPARED) for end in ends)
    assert found["next"].time in bars.time[ends - 1]


def test_bars_that_cannot_be_ended_early_are_refused() -> None:
    with pytest.raises(ValueError, match="BTCUSDT has 8 bars: too few to be ended at 8 places"):
        futures(leaks, ("fine", "next", "scaled", "late"), market(8))


def histories(bars: BarFrame) -> Floats:
    """Return a window's mean, an exponential average, and a sum since the first bar."""
    window = np.convolve(bars.close, np.ones(10) / 10)[: len(bars)]
    window[:9] = np.nan
    average = np.empty(len(bars))
    average[0] = bars.close[0]
    for row in range(1, len(bars)):
        average[row] = average[row - 1] + 0.02 * (bars.close[row] - average[row - 1])
    return np.column_stack((window, average, np.cumsum(bars.volume)))


def test_columns_that_depend_on_the_first_bar_are_found_with_when_they_have_settled() -> None:
    found = {one.column: one for one in starts(histories, ("window", "average", "sum"), market())}
    assert found["window"].bars == 9
    assert found["average"].bars is not None
    assert 100 < found["average"].bars < 600
    assert found["sum"].bars is None
    assert found["sum"].deviations > 0.1


def test_no_feature_uses_later_bars_and_only_sums_over_the_history_never_settle() -> None:
    bars, step = market(), FeatureStep()

    def compute(frame: BarFrame) -> Floats:
        return step.features(step.initial(), frame)[1].values

    assert futures(compute, DEFAULT.names, bars) == []
    never = {one.column for one in starts(compute, DEFAULT.names, bars) if one.bars is None}
    sums = {
        name
        for feature in FEATURES
        for name, unit in zip(feature.names, feature.units, strict=True)
        if unit == "since the beginning"
    }
    assert never - {"change_point", "run_length"} <= sums
    assert "obv" in never

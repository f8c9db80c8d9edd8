"""Longer timeframes of the same stream: what a minute may know of its 5- and 15-minute bars."""

from functools import cache

import numpy as np
import pytest
from feature_bars import MINUTE, frame_of, spoilt, walk
from hypothesis import given, settings
from hypothesis import strategies as st
from test_features_step import through

from features.definition import Definition
from features.frame import BarFrame, Floats
from features.step import FeatureStep
from features.table import NAMES

TIMEFRAMES = ("5m", "15m")
SUMS = ("volume", "trades", "buy_volume", "buy_trades", "market_return", "lead_return")


@cache
def step() -> FeatureStep:
    return FeatureStep(Definition(timeframes=TIMEFRAMES))


@cache
def thin() -> BarFrame:
    return frame_of(spoilt(walk(3_000, seed=55), seed=56))


@cache
def uncut() -> bytes:
    return through(thin(), [], step())[1].values.tobytes()


def columns(values: Floats, timeframe: str) -> Floats:
    return values[:, [step().names.index(f"{name}@{timeframe}") for name in NAMES]]


@pytest.mark.parametrize("minutes", [5, 15])
def test_a_minute_knows_the_newest_longer_bar_that_has_closed(minutes: int) -> None:
    """Against bars that pandas gathers, joined to the minutes by the time at which they are known."""
    bars = walk(2_400, seed=51)
    longer = bars.assign(bucket=bars["time"] // (minutes * MINUTE) * minutes * MINUTE).groupby("bucket")
    gathered = longer.agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "market_rank": "mean"}
        | dict.fromkeys(SUMS, "sum")
    )
    gathered = gathered.reset_index(names="time")
    alone = FeatureStep()
    expected = alone.step(alone.initial(), frame_of(gathered, f"{minutes}m"))[1].values
    known_from = gathered["time"] + minutes * MINUTE
    newest = np.searchsorted(known_from, bars["time"] + MINUTE, side="right") - 1
    ours = columns(step().step(step().initial(), frame_of(bars))[1].values, f"{minutes}m")
    np.testing.assert_allclose(ours[newest >= 0], expected[newest[newest >= 0]], rtol=1e-7, atol=1e-9)
    assert np.isnan(ours[newest < 0]).all()
    assert np.isfinite(ours[-1]).mean() > 0.9


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 3_000), max_size=8))
def test_any_cut_gives_the_same_bits(cuts: list[int]) -> None:
    assert through(thin(), cuts, step())[1].values.tobytes() == uncut()


def test_the_base_columns_are_those_without_timeframes() -> None:
    alone = FeatureStep()
    values = step().step(step().initial(), thin())[1].values
    np.testing.assert_array_equal(values[:, : len(NAMES)], alone.step(alone.initial(), thin())[1].values)


@pytest.mark.parametrize("present", [0, 700, 1_303])
def test_no_later_bar_changes_a_row(present: int) -> None:
    bars, other = walk(1_500, seed=52), walk(1_500, seed=53)
    changed = bars.copy()
    changed[changed.index > present] = other[other.index > present]
    one, two = (step().step(step().initial(), frame_of(frame))[1].values for frame in (bars, changed))
    np.testing.assert_array_equal(one[: present + 1], two[: present + 1])


def test_a_longer_bar_closes_late_where_its_last_minute_did_not_trade() -> None:
    bars = walk(1_200, seed=54)
    whole = columns(step().step(step().initial(), frame_of(bars))[1].values, "5m")
    last = np.flatnonzero((bars["time"] + MINUTE) % (5 * MINUTE) == 0)[-3]
    without = step().step(step().initial(), frame_of(bars.drop(index=last)))[1].values
    column = NAMES.index("ema_12")
    ours = columns(without, "5m")[:, column]
    assert ours[last - 1] == whole[last - 1, column]
    assert ours[last] != ours[last - 1]  # the row after the one that is missing


def test_after_a_long_gap_nothing_is_known_until_a_longer_bar_has_closed() -> None:
    bars = walk(1_500, seed=57)
    bars.loc[1_203:, "time"] += 90 * MINUTE
    values = step().step(step().initial(), frame_of(bars))[1].values
    ours = columns(values, "15m")[:, NAMES.index("sma_12")]
    closes = np.flatnonzero((bars["time"] + MINUTE) % (15 * MINUTE) == 0)
    first = closes[closes >= 1_203][0]
    assert np.isfinite(ours[1_202])
    assert np.isnan(ours[1_203:first]).all()
    assert np.isfinite(ours[first])  # 90 minutes are 6 such bars: not long enough for them to begin anew


@pytest.mark.parametrize("timeframe", ["1m", "7m", "90s"])
def test_a_timeframe_that_does_not_fit_is_refused(timeframe: str) -> None:
    odd = FeatureStep(Definition(timeframes=(timeframe,)))
    bars = frame_of(walk(10, seed=1), "2m")
    with pytest.raises(ValueError, match=f"timeframe {timeframe} is no multiple of the bars' 2m"):
        odd.step(odd.initial(), bars)


def test_timeframes_change_the_fingerprint() -> None:
    assert step().fingerprint != FeatureStep().fingerprint
    assert FeatureStep(Definition(timeframes=("15m", "5m"))).fingerprint != step().fingerprint

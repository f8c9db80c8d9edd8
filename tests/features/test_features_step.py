"""The fold from bars to features: cuts, redelivery, gaps, and its state as bytes."""

from itertools import pairwise
from math import isnan

import numpy as np
import pandas as pd
import pytest
from feature_bars import MINUTE, frame_of, real, spoilt, walk
from hypothesis import given, settings
from hypothesis import strategies as st

from features import step as step_module
from features.frame import BarFrame, FeatureFrame
from features.regimes import COLUMNS, STATES
from features.step import FeatureState, FeatureStep
from features.table import FEATURES, LONGEST_GAP, NAMES
from topics.codec import decode, encode
from topics.records import Bar, Features, Regime

STEP = FeatureStep()
THIN = frame_of(spoilt(walk(3_000, seed=5), seed=6))


def through(frame: BarFrame, cuts: list[int]) -> tuple[FeatureState, FeatureFrame, list[Regime]]:
    """Fold the frame cut at those rows, with the state through bytes at each cut."""
    state, parts, regimes = STEP.initial(), [], list[Regime]()
    edges = [0, *sorted(cuts), len(frame)]
    for first, end in pairwise(edges):
        state, features, found = STEP.step(FeatureState.loads(state.dumps(), STEP.fingerprint), frame[first:end])
        parts.append(features)
        regimes += found
    whole = FeatureFrame(
        frame.symbol,
        frame.interval,
        STEP.fingerprint,
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.close for part in parts]),
        np.concatenate([part.values for part in parts]),
    )
    return state, whole, regimes


UNCUT = through(THIN, [])


@settings(deadline=None)
@given(st.lists(st.integers(0, len(THIN)), max_size=12))
def test_any_cut_gives_the_same_bits(cuts: list[int]) -> None:
    state, features, regimes = through(THIN, cuts)
    assert state.dumps() == UNCUT[0].dumps()
    assert features.values.tobytes() == UNCUT[1].values.tobytes()
    assert regimes == UNCUT[2]


def test_one_bar_at_a_time_gives_the_same_bits_on_real_minutes() -> None:
    frame = frame_of(pd.read_parquet(real("panel_bitfinex_1m", "eosusd.parquet")).iloc[:2_000])
    whole, single = through(frame, []), through(frame, list(range(1, len(frame))))
    assert single[0].dumps() == whole[0].dumps()
    assert single[1].values.tobytes() == whole[1].values.tobytes()
    assert single[2] == whole[2]


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_module, "BLOCK", 7)
    assert through(THIN, [])[1].values.tobytes() == UNCUT[1].values.tobytes()


def test_offline_is_the_same_fold() -> None:
    parts = list(STEP.compute([THIN[:1_000], THIN[900:]]))
    np.testing.assert_array_equal(np.concatenate([part.values for part in parts]), UNCUT[1].values)


def test_the_old_state_stays_as_it_was() -> None:
    state, _, _ = STEP.step(STEP.initial(), THIN[:500])
    before = state.dumps()
    STEP.step(state, THIN[500:])
    assert state.dumps() == before


def test_bars_delivered_again_or_out_of_order_are_skipped() -> None:
    state, first, _ = STEP.step(STEP.initial(), THIN[:500])
    assert state.last_time == THIN.time[499]
    again, nothing, no_regimes = STEP.step(state, THIN[300:500])
    assert (again.dumps(), len(nothing), no_regimes) == (state.dumps(), 0, [])
    _, rest, _ = STEP.step(state, THIN[300:])
    np.testing.assert_array_equal(rest.values, UNCUT[1].values[500:])
    shuffled = THIN[np.concatenate([np.arange(500), np.arange(400, 500), np.arange(500, len(THIN))])]
    np.testing.assert_array_equal(through(shuffled, [])[1].values, UNCUT[1].values)
    assert len(first) == 500


def test_an_empty_frame_changes_nothing() -> None:
    state = STEP.initial()
    assert state.last_time == -1
    same, nothing, _ = STEP.step(state, THIN[:0])
    assert same.dumps() == state.dumps()
    assert nothing.values.shape == (0, len(NAMES))


@pytest.mark.parametrize(("missing", "anew"), [(LONGEST_GAP, False), (LONGEST_GAP + 1, True)])
def test_indicators_begin_anew_after_a_long_gap_only(missing: int, anew: bool) -> None:
    bars = walk(900, seed=7)
    bars.loc[500:, "time"] += missing * MINUTE
    values = through(frame_of(bars), [])[1].values
    alone = through(frame_of(bars[500:]), [])[1].values
    gap = NAMES.index("missing_before")
    if anew:
        np.testing.assert_array_equal(values[500:], alone)
    else:
        assert np.isfinite(values[500:]).all()
        assert values[500, gap] == missing
        assert values[501, gap] == 0


def test_short_gaps_are_stepped_over() -> None:
    """Across a short gap N bars are N bars that traded: only the clock and the gap itself tell of it."""
    bars = walk(600, seed=8)
    gappy = bars.copy()
    gappy.loc[300:, "time"] += 10 * MINUTE
    same = [k for k, name in enumerate(NAMES) if not name.startswith(("day_", "week_", "missing_"))]
    np.testing.assert_array_equal(
        through(frame_of(gappy), [])[1].values[:, same], through(frame_of(bars), [])[1].values[:, same]
    )


def test_unknown_volume_is_unknown_only_where_volume_counts_and_only_for_its_window() -> None:
    bars = walk(600, seed=9)
    bars.loc[300, "volume"] = np.nan
    values = through(frame_of(bars), [])[1].values
    for feature in FEATURES:
        for name in feature.names:
            column = values[:, NAMES.index(name)]
            unknown = np.flatnonzero(np.isnan(column[feature.warmup :])) + feature.warmup
            if feature.family == "volume":
                assert unknown[0] == 300
                assert unknown[-1] < 300 + feature.warmup
            else:
                assert len(unknown) == 0


def test_no_volume_at_all_is_unknown_not_zero() -> None:
    bars = walk(300, seed=10).assign(volume=np.nan)
    values = through(frame_of(bars), [])[1].values
    columns = [NAMES.index(name) for feature in FEATURES if feature.family == "volume" for name in feature.names]
    assert np.isnan(values[:, columns]).all()


def test_a_market_that_does_not_move_has_no_answer_where_there_is_none() -> None:
    bars = walk(400, seed=11).assign(open=5.05, high=5.05, low=5.05, close=5.05)
    last = dict(zip(NAMES, through(frame_of(bars), [])[1].values[-1], strict=True))
    for name in ("rsi_14", "stochastic_k_14", "cci_20", "bollinger_b_20", "zscore_200", "plus_di_14", "regime_calm"):
        assert np.isnan(last[name]), name
    for name in ("log_return_60", "realised_volatility_60", "natr_14", "bollinger_width_20", "obv_change_20"):
        assert last[name] == 0, name


def test_a_state_of_another_definition_is_refused() -> None:
    data = STEP.initial().dumps()
    with pytest.raises(ValueError, match=f"'000000000000', not '{STEP.fingerprint}'"):
        FeatureState.loads(b"000000000000" + data[12:], STEP.fingerprint)
    with pytest.raises(ValueError, match="bytes, not"):
        FeatureState.loads(data[:-8], STEP.fingerprint)


def test_regimes_are_the_posterior_columns_where_known() -> None:
    _, features, regimes = through(frame_of(walk(400, seed=12)), [])
    posterior = features.values[:, [NAMES.index(column) for column in COLUMNS]]
    assert [regime.time for regime in regimes] == features.time[~np.isnan(posterior[:, 0])].tolist()
    assert regimes[-1].posterior == dict(zip(STATES, posterior[-1].tolist(), strict=True))
    assert regimes[-1].state == STATES[posterior[-1].argmax()]


def test_records_survive_the_wire() -> None:
    """Bars in, features out, each through JSON: the numbers are the same bits, unknown is null."""
    columns = (THIN.time, THIN.open, THIN.high, THIN.low, THIN.close, THIN.volume)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    bars = [Bar("BTCUSD", "1m", *row[:5], None if isnan(row[5]) else row[5]) for row in rows]
    frame = BarFrame.of(decode(encode(bars), Bar).records)
    _, features, _ = STEP.step(STEP.initial(), frame)
    assert features.values.tobytes() == UNCUT[1].values.tobytes()
    back = FeatureFrame.of(decode(encode(features.records()), Features).records)
    np.testing.assert_array_equal(back.values, features.values)
    assert (back.symbol, back.interval, back.fingerprint) == ("BTCUSD", "1m", STEP.fingerprint)
    assert (back.time == features.time).all()
    assert (back.close == features.close).all()

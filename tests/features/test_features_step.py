"""The fold from bars to features: cuts, redelivery, gaps, and its state as bytes."""

from itertools import pairwise
from math import isnan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from feature_bars import MINUTE, frame_of, real, spoilt, walk
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from features import advance as advance_module
from features.frame import BAR_COLUMNS, BarFrame, FeatureFrame
from features.indicators import momentum
from features.regimes import COLUMNS, STATES
from features.step import FeatureState, FeatureStep
from features.table import FEATURES, LONGEST_GAP, NAMES
from topics.codec import decode, encode
from topics.records import Bar, Features, Regime

STEP = FeatureStep()
THIN = frame_of(spoilt(walk(3_000, seed=5), seed=6))


def through(
    frame: BarFrame, cuts: list[int], step: FeatureStep = STEP
) -> tuple[FeatureState, FeatureFrame, list[Regime]]:
    """Fold the frame cut at those rows, with the state through bytes at each cut."""
    state, parts, regimes = step.initial(), [], list[Regime]()
    edges = [0, *sorted(cuts), len(frame)]
    for first, end in pairwise(edges):
        state, features, results = step.step(FeatureState.loads(state.dumps(), step.initial()), frame[first:end])
        parts.append(features)
        regimes += results
    whole = FeatureFrame(
        symbol=frame.symbol,
        interval=frame.interval,
        fingerprint=STEP.fingerprint,
        time=np.concatenate([part.time for part in parts]),
        close=np.concatenate([part.close for part in parts]),
        values=np.concatenate([part.values for part in parts]),
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


def test_the_size_of_blocks_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advance_module, "BLOCK", 7)
    assert through(THIN, [])[1].values.tobytes() == UNCUT[1].values.tobytes()


def test_the_offline_computation_equals_the_fold() -> None:
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


def test_bars_that_are_not_cut_by_time_have_no_gaps() -> None:
    """What lies between two of them is unknown, never a reason to begin anew; nothing else depends on it."""
    bars = walk(600, seed=8)
    quiet = bars.copy()
    quiet.loc[300:, "time"] += 500 * MINUTE + 1
    for cuts in ([], [100, 300, 301]):
        ticks = through(replace(frame_of(quiet), interval="tick-500"), cuts)[1]
        assert np.isnan(ticks.values[:, NAMES.index("missing_before")]).all()
        same = [k for k, name in enumerate(NAMES) if not name.startswith(("day_", "week_", "missing_"))]
        np.testing.assert_array_equal(ticks.values[:, same], through(frame_of(bars), [])[1].values[:, same])
        assert {record.interval for record in ticks.records()} == {"tick-500"}


FLOW = ["volume", "trades", "buy_volume", "buy_trades"]
MARKET = ["market_return", "market_rank", "lead_return"]
OF_FLOW = {
    name
    for feature in FEATURES
    for name in feature.names
    if feature.family == "volume" or feature.function is momentum.percentage_volume
}
OF_MARKET = {name for feature in FEATURES if feature.family == "cross" for name in feature.names}


@pytest.mark.parametrize(("unknown", "counting"), [(FLOW, OF_FLOW), (MARKET, OF_MARKET)])
def test_what_is_unknown_in_a_bar_is_so_only_where_it_counts_and_only_for_its_window(
    unknown: list[str], counting: set[str]
) -> None:
    bars = walk(700, seed=9)
    bars.loc[300, unknown] = np.nan
    values = through(frame_of(bars), [])[1].values
    for feature in FEATURES:
        for name in feature.names:
            missing = np.flatnonzero(np.isnan(values[feature.warmup :, NAMES.index(name)])) + feature.warmup
            if name in counting:
                assert missing[0] == 300, name
                assert missing[-1] < 300 + feature.warmup, name
                assert len(missing) == missing[-1] - 299, name
            else:
                assert len(missing) == 0, name


@pytest.mark.parametrize(
    ("unknown", "without"),
    [
        (FLOW, OF_FLOW),
        (MARKET, OF_MARKET),
        (["market_rank"], {"market_rank", "market_rank_mean_60"}),
        (["lead_return"], {name for name in NAMES if name.startswith("lead_")}),
        (["trades"], {"trade_imbalance_20", "trades_ratio_20", "trade_size_ratio_20"}),
        (["buy_volume"], {"buy_imbalance_20"}),
        (["buy_trades"], {"trade_imbalance_20"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_a_source_does_not_tell_is_unknown_not_zero(unknown: list[str], without: set[str]) -> None:
    bars = walk(300, seed=10).assign(**dict.fromkeys(unknown, np.nan))
    values = through(frame_of(bars), [])[1].values
    assert {name for k, name in enumerate(NAMES) if np.isnan(values[:, k]).all()} == without
    assert {name for k, name in enumerate(NAMES) if np.isnan(values[-1, k])} == without


def test_a_bar_of_unknown_volume_adds_nothing_to_the_sums_since_the_beginning() -> None:
    bars = walk(600, seed=9)
    spoiled = bars.copy()
    spoiled.loc[300, "volume"] = np.nan
    whole, other = (through(frame_of(rows), [])[1].values for rows in (bars, spoiled))
    for name in ("obv", "accumulation_distribution", "volume_price_trend"):
        column = NAMES.index(name)
        step = whole[300, column] - whole[299, column]
        assert abs(step) > 1e-6
        np.testing.assert_allclose(other[301:, column], whole[301:, column] - step, rtol=0, atol=1e-9)
    column = NAMES.index("negative_volume_index")
    moved = whole[301, column] / whole[299, column]
    assert moved != 1
    np.testing.assert_allclose(other[302:, column], whole[302:, column] / moved)


def test_a_market_that_does_not_move_has_no_answer_where_there_is_none() -> None:
    bars = walk(400, seed=11).assign(open=5.05, high=5.05, low=5.05, close=5.05)
    last = dict(zip(NAMES, through(frame_of(bars), [])[1].values[-1], strict=True))
    for name in (
        "rsi_14",
        "stochastic_k_14",
        "cci_20",
        "bollinger_b_20",
        "zscore_200",
        "plus_di_14",
        "regime_calm",
        "keltner_position_10",
        "jump_share_60",
        "skewness_60",
        "autocorrelation_1_60",
        "amihud_ratio_20_200",
    ):
        assert np.isnan(last[name]), name
    for name in ("vortex_plus_14", "mass_index_9_25", "stochastic_rsi_14", "tsi_25_13", "ultimate_oscillator_7_14_28"):
        assert np.isnan(last[name]), name
    for name in (
        "log_return_60",
        "realised_volatility_60",
        "natr_14",
        "bollinger_width_20",
        "obv_change_20",
        "keltner_above_10",
        "yang_zhang_60",
        "chaikin_money_flow_20",
        "market_beta_240",
        "kst",
    ):
        assert last[name] == 0, name


def test_a_state_of_another_definition_is_refused() -> None:
    data = STEP.initial().dumps()
    with pytest.raises(ValueError, match=f"'000000000000', not '{STEP.fingerprint}'"):
        FeatureState.loads(b"000000000000" + data[12:], STEP.initial())
    with pytest.raises(ValueError, match="bytes, not"):
        FeatureState.loads(data[:-8], STEP.initial())


def test_regimes_are_the_posterior_columns_where_known() -> None:
    _, features, regimes = through(frame_of(walk(400, seed=12)), [])
    posterior = features.values[:, [NAMES.index(column) for column in COLUMNS]]
    assert [regime.time for regime in regimes] == features.time[~np.isnan(posterior[:, 0])].tolist()
    assert regimes[-1].posterior == dict(zip(STATES, posterior[-1].tolist(), strict=True))
    assert regimes[-1].state == STATES[posterior[-1].argmax()]


def test_records_survive_the_wire() -> None:
    """Bars in, features out, each through JSON: the numbers are the same bits, unknown is null."""
    bars = []
    for row, time in enumerate(THIN.time.tolist()):
        known = {name: float(getattr(THIN, name)[row]) for name in BAR_COLUMNS}
        numbers: dict[str, Any] = {name: None if isnan(value) else value for name, value in known.items()}
        numbers |= {name: int(known[name]) for name in ("trades", "buy_trades")}
        bars.append(Bar("BTCUSD", "1m", time, **numbers))
    frame = BarFrame.of(decode(encode(bars), Bar).records)
    _, features, _ = STEP.step(STEP.initial(), frame)
    assert features.values.tobytes() == UNCUT[1].values.tobytes()
    back = FeatureFrame.of(decode(encode(features.records()), Features).records)
    np.testing.assert_array_equal(back.values, features.values)
    assert (back.symbol, back.interval, back.fingerprint) == ("BTCUSD", "1m", STEP.fingerprint)
    assert (back.time == features.time).all()
    assert (back.close == features.close).all()

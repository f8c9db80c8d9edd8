"""The market of a universe: what its numbers mean, that the fold gives those of whole series, and loses nothing."""

from itertools import pairwise
from math import log

import numpy as np
import pandas as pd
import pytest
from feature_bars import MINUTE, real
from hypothesis import given, settings
from hypothesis import strategies as st
from market_messages import (
    UNIVERSE,
    WEIGHTS,
    Market,
    bar,
    bare,
    ends,
    fold,
    joined,
    made,
    markets,
    messages,
)

from features.cross_section import REMEMBERED, Universe, join, moves
from features.frame import BarFrame
from features.market import ALLOWED_LATENESS, MarketState, initial, step
from topics.catalog import MAX_MESSAGE_BYTES
from topics.records import Bar

TWO = Universe.of({"A": 1.0, "B": 1.0})


def expected(market: Market) -> Market:
    return joined(market, join([BarFrame.of(bars) for bars in market.values()], WEIGHTS))


def without_ends(values: Market, market: Market) -> Market:
    return {symbol: values.get(symbol, [])[: len(bars)] for symbol, bars in market.items()}


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_order_within_the_allowed_lateness_gives_the_bits_of_whole_series(data: st.DataObject) -> None:
    market = data.draw(markets())
    sent = data.draw(messages(market, patient=True))
    _, values = fold([*sent, *ends(market)])
    assert without_ends(values, market) == expected(market)


@pytest.mark.slow
@settings(deadline=None, max_examples=100)
@given(st.data())
def test_frames_cut_at_the_same_times_may_lie_a_frame_apart(data: st.DataObject) -> None:
    """As a replay sends them: frames of one span of time, the symbols in any order, one a frame ahead."""
    market = {symbol: made(symbol, range(60), seed) for seed, symbol in enumerate(WEIGHTS)}
    cuts = [0, *sorted(data.draw(st.sets(st.integers(1, 59), max_size=59))), 60]
    frames = {symbol: [bars[a:b] for a, b in pairwise(cuts)] for symbol, bars in market.items()}
    sent, at = [], dict.fromkeys(market, 0)
    while any(at[symbol] < len(cuts) - 1 for symbol in market):
        least = min(at.values())
        symbol = data.draw(st.sampled_from([s for s in market if at[s] <= least and at[s] < len(cuts) - 1]))
        for _ in range(data.draw(st.integers(1, 2))):
            if at[symbol] < len(cuts) - 1:
                sent.append(frames[symbol][at[symbol]])
                at[symbol] += 1
    _, values = fold([*sent, *ends(market)])
    assert without_ends(values, market) == expected(market)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(st.data())
def test_whatever_the_order_every_bar_goes_out_once_and_in_order(data: st.DataObject) -> None:
    market = data.draw(markets())
    sent = data.draw(messages(market, patient=False))
    again = [data.draw(st.integers(0, 3)) for _ in sent]
    repeated = [message for k in range(len(sent)) for message in [sent[k], *sent[max(0, k - again[k]) : k]]]
    state, values = fold([*repeated, *ends(market)])
    assert without_ends({s: list(map(bare, bars)) for s, bars in values.items()}, market) == market
    assert fold([*sent, *ends(market)])[1] == values
    assert sum(map(len, state.waiting.values())) <= len(WEIGHTS) * ALLOWED_LATENESS


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_the_state_through_bytes_is_the_same_state(data: st.DataObject) -> None:
    sent = data.draw(messages(data.draw(markets()), patient=False))
    plain, through = fold(sent), fold(sent, through_bytes=True)
    assert through[1] == plain[1]
    assert through[0].dumps() == plain[0].dumps()


def test_market_return_rank_and_lead_return_equal_the_hand_calculation() -> None:
    market = {
        "ADA": [bar("ADA", 0, 100.0), bar("ADA", 1, 101.0)],
        "BTC": [bar("BTC", 0, 100.0), bar("BTC", 1, 99.0)],
        "ETH": [bar("ETH", 0, 10.0), bar("ETH", 1, 10.1)],
        "XRP": [bar("XRP", 1, 1.0)],
    }
    values = expected(market)
    returns = {"ADA": log(1.01), "BTC": log(0.99), "ETH": log(10.1 / 10.0)}
    mean = sum(WEIGHTS[s] * returns[s] for s in returns) / sum(WEIGHTS[s] for s in returns)
    assert values["ADA"][0].market_return is values["ADA"][0].market_rank is None
    assert values["ADA"][1].market_return == values["BTC"][1].market_return == pytest.approx(mean, rel=1e-12)
    assert values["XRP"][0].market_return is values["XRP"][0].lead_return is None
    assert values["ADA"][1].lead_return == values["BTC"][1].lead_return == log(0.99)  # BTC counts most
    assert [values[symbol][-1].market_rank for symbol in market] == [0.75, 0.0, 0.75, None]  # two rose alike


def test_equal_returns_share_a_rank_and_one_alone_is_no_market() -> None:
    even = {symbol: [bar(symbol, 0, 8.0), bar(symbol, 1, 4.0)] for symbol in ("ADA", "BTC", "ETH")}
    assert {bars[1].market_rank for bars in expected(even).values()} == {0.5}
    alone = expected({"ADA": [bar("ADA", 0, 1.0), bar("ADA", 1, 2.0)], "BTC": [bar("BTC", 1, 1.0)]})
    assert alone["ADA"][1].market_return is None
    assert alone["ADA"][1].market_rank is None


@pytest.mark.parametrize(("minute", "gap"), [(2, 1), (2, 0), (1, 1)])
def test_a_symbol_is_ranked_only_after_the_bar_just_before(minute: int, gap: int) -> None:
    others = {symbol: [bar(symbol, k, 1.0 + k) for k in range(4)] for symbol in ("ADA", "BTC")}
    values = expected(others | {"ETH": [bar("ETH", 0, 1.0), bar("ETH", minute, 9.0, gap)]})
    assert values["ETH"][1].market_rank is None
    before = log(minute) if minute > 1 else 0.0
    last = (3.5 * log((1 + minute) / minute) + log(9)) / 4.5
    assert values["ADA"][minute].market_return == pytest.approx(last, rel=1e-12)
    assert values["ETH"][1].market_return == pytest.approx(before + last, rel=1e-12)


def test_a_bar_is_told_what_happened_since_the_one_before() -> None:
    """The market's returns of the intervals without a bar add up; a last price stands where there is no newer one."""
    closes = {
        "ADA": {0: 1.0, 1: 2.0, 2: 3.0, 4: 5.0},
        "BTC": {0: 1.0, 1: 2.0, 4: 7.0},
        "ETH": {0: 1.0, 4: 9.0},
        "XRP": dict.fromkeys(range(5), 1.0),
    }
    market = {symbol: [bar(symbol, *at) for at in row.items()] for symbol, row in closes.items()}
    values = expected(market)
    first = (3.5 * log(2) + 0.0) / 3.8
    second = log(1.5) / 1.3
    last = (log(5 / 3) + 2.5 * log(7 / 2) + log(9)) / 4.8
    assert [one.market_return for one in values["XRP"]] == [None, first, second, None, pytest.approx(last)]
    assert [one.market_return for one in values["ADA"]] == [None, first, second, pytest.approx(last)]
    assert values["ETH"][1].market_return == first + second + (values["ADA"][3].market_return or 0.0)
    assert [one.lead_return for one in values["XRP"]] == [None, log(2), None, None, log(7 / 2)]
    assert [one.lead_return for one in values["ETH"]] == [None, log(2) + log(7 / 2)]


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(("missing", "known"), [(REMEMBERED - 1, True), (REMEMBERED, False)])
def test_after_too_long_a_gap_a_bar_is_as_a_first_one(missing: int, known: bool, late: bool) -> None:
    last = missing + 1
    others = {symbol: [bar(symbol, k, 2.0 ** (k % 7)) for k in range(last + 2)] for symbol in ("ADA", "BTC")}
    market = others | {"ETH": [bar("ETH", 0, 1.0), bar("ETH", last, 9.0), bar("ETH", last + 1, 9.0)]}
    sent = [[one] for k in range(last + 2) for symbol in others for one in [market[symbol][k]]]
    sent = [market["ETH"][:1], *sent, market["ETH"][1:]] if late else [*sent, *market.values()]
    bars, whole = fold([*sent, *ends(market)])[1]["ETH"][:3], expected(market)["ETH"]
    assert (whole[1].market_return is not None) is (whole[1].lead_return is not None) is known
    assert bars == whole


def test_a_late_bar_of_long_ago_is_told_nothing() -> None:
    three = Universe.of({"A": 1.0, "B": 1.0, "C": 1.0})
    sent = [[bar(symbol, k, 2.0 ** (k % 2))] for k in range(2 * REMEMBERED) for symbol in ("A", "B")]
    late = [bar("C", k, 1.0) for k in (5, 6, REMEMBERED, REMEMBERED + 1)]
    _, values = fold([*sent, late], three)
    assert [one.market_return for one in values["C"]] == [None, None, None, log(2)]


def test_the_leader_is_the_first_of_those_that_count_most() -> None:
    assert UNIVERSE.leader == "BTC"
    assert Universe.of({"B": 2.0, "A": 2.0, "C": 1.0}).leader == "A"
    without = {symbol: made(symbol, range(5), 1) for symbol in ("ADA", "ETH")}
    assert {one.lead_return for bars in expected(without).values() for one in bars} == {None}


def test_moves_are_sums_in_the_order_of_time() -> None:
    random = np.random.default_rng(3)
    returns = np.where(random.random(300) < 0.2, np.nan, random.normal(0, 1, 300))
    at = np.flatnonzero(random.random(300) < 0.1)
    before = np.append(-1, at[:-1])
    result = moves(np.arange(300), returns, before, at, 1)
    for k in range(len(at)):
        total = 0.0
        for value in returns[before[k] + 1 : at[k] + 1]:
            total += 0.0 if np.isnan(value) else value
        assert result[k] == total or (k == 0 and np.isnan(result[k]))


def test_a_bar_waits_for_the_others_and_no_longer() -> None:
    state, out = step(initial(), [bar("A", 0, 1.0), bar("A", 1, 2.0)], TWO)
    assert out == []
    state, out = step(state, [bar("B", 0, 1.0)], TWO)
    assert [(one.symbol, one.time) for one in out] == [("A", 0), ("B", 0)]
    _, out = step(state, [bar("B", 1, 4.0)], TWO)
    assert [(one.symbol, one.market_return, one.market_rank) for one in out] == [
        ("A", 1.5 * log(2), 0.0),
        ("B", 1.5 * log(2), 1.0),
    ]


def test_allowed_lateness_is_counted_in_messages() -> None:
    """Of any size: the bar goes out with the third message that is all later."""
    for size in (1, 50):
        state, out = step(initial(), [bar("A", 0, 1.0)], TWO)
        for turn in range(ALLOWED_LATENESS):
            assert out == []
            state, out = step(state, [bar("A", 1 + turn * size + k, 1.0) for k in range(size)], TWO)
        assert [one.time for one in out] == [0]
        assert out[0].market_return is None


def test_a_late_bar_goes_out_at_once_with_what_the_market_was() -> None:
    three = Universe.of({"A": 1.0, "B": 1.0, "C": 1.0})
    state = initial()
    for minute in range(5):
        for symbol in ("A", "B"):
            state, _ = step(state, [bar(symbol, minute, 2.0**minute)], three)
    state, out = step(state, [bar("C", 0, 1.0), bar("C", 1, 1.0), bar("C", 3, 1.0)], three)
    late = [one for one in out if one.symbol == "C"]
    assert [(one.time // MINUTE, one.market_return, one.market_rank) for one in late[:2]] == [
        (0, None, None),
        (1, log(2), None),
    ]


def test_two_silent_symbols_do_not_hold_up_the_others_for_good() -> None:
    three = Universe.of({"A": 1.0, "B": 1.0, "C": 1.0})
    sent = [[bar(symbol, minute, 1.0)] for minute in range(10) for symbol in "ABC"]
    sent += [[bar("B", minute, 1.0)] for minute in (10, 11)]
    sent += [[bar("A", minute, 1.0)] for minute in range(10, 100)]
    state, values = fold(sent, three)
    assert len(values["A"]) >= 100 - ALLOWED_LATENESS
    assert sum(map(len, state.waiting.values())) <= ALLOWED_LATENESS


def test_what_waits_and_what_is_remembered_is_bounded() -> None:
    symbols = [f"{chr(65 + k)}{'X' * 60}" for k in range(12)]
    many = Universe.of(dict.fromkeys([*symbols, "NEVER"], 1.0))
    state, largest = initial(), 0
    for turn in range(2):
        for symbol in symbols:
            state, _ = step(state, made(symbol, range(turn * 5_000, (turn + 1) * 5_000), turn), many)
            largest = max(largest, len(state.dumps()))
    assert largest < 0.9 * MAX_MESSAGE_BYTES
    assert 0 < len(state.remembered) <= REMEMBERED


def test_a_symbol_that_leaves_the_universe_takes_its_bars_along() -> None:
    state, _ = step(initial(), [bar("A", 0, 1.0)], TWO)
    state, out = step(state, [bar("B", 0, 1.0)], Universe.of({"B": 1.0, "C": 1.0}))
    assert [one.symbol for one in out] == ["A"]
    _, out = step(state, [Bar("Z", "1m", 0, 1.0, 1.0, 1.0, 1.0, 1.0, market_return=5.0)], TWO)
    assert [one for one in out if one.symbol == "Z"] == [bar("Z", 0, 1.0)]


def test_a_symbol_that_joins_again_begins_anew() -> None:
    state, three = initial(), Universe.of({"A": 1.0, "B": 1.0, "C": 1.0})
    for minute, universe in enumerate((three, Universe.of({"B": 1.0, "C": 1.0}), three)):
        for symbol in universe.symbols:
            state, out = step(state, [bar(symbol, minute, 2.0**minute)], universe)
    assert [(one.symbol, one.market_return) for one in out] == [("A", None), ("B", log(2)), ("C", log(2))]


def test_the_widest_ratios_that_prices_may_have_are_numbers() -> None:
    market = {s: [bar(s, 0, 1e-12), bar(s, 1, 1e12), bar(s, 2, 1e-12)] for s in ("ADA", "BTC")}
    values = expected(market)
    widest = pytest.approx(log(1e24))
    assert [one.market_return for one in values["ADA"]] == [None, widest, -widest.expected]
    sent = [bars[k : k + 1] for k in range(3) for bars in market.values()]
    assert without_ends(fold([*sent, *ends(market)])[1], market) == values


def test_join_leaves_others_alone_and_refuses_a_symbol_twice() -> None:
    frames = [BarFrame.of(made(symbol, range(5), 1)) for symbol in ("ADA", "DOGE")]
    assert join(frames, {}) == frames
    bar_frames = join(frames, WEIGHTS)
    assert bar_frames[1] is frames[1]
    assert np.isnan(bar_frames[0].market_return).all()
    with pytest.raises(ValueError, match="two frames of 1m bars of ADA"):
        join([frames[0], frames[0]], WEIGHTS)
    assert len(join([frames[0][:0]], WEIGHTS)[0]) == 0
    assert [len(frame) for frame in join([frames[0], BarFrame.of(made("BTC", range(5), 2))[:0]], WEIGHTS)] == [5, 0]


def test_a_state_that_is_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected"):
        MarketState.loads(b"\x01")


def test_order_in_the_setting_does_not_matter() -> None:
    assert Universe.of(dict(reversed(WEIGHTS.items()))) == UNIVERSE


def test_real_panel_the_fold_gives_the_bits_of_whole_series() -> None:
    """Ten days of five real symbols, each with its own gaps, in frames of 500 rows and one by one."""
    market: Market = {}
    weights = {"BTCUSD": 3.0, "ETHUSD": 2.0, "EOSUSD": 1.0, "LTCUSD": 1.0, "XRPUSD": 1.0}
    for symbol in weights:
        rows = pd.read_parquet(real("panel_bitfinex_1m", f"{symbol.lower()}.parquet"))
        rows = rows.sort_values("time").drop_duplicates("time")
        end = int(rows["time"].iloc[-1])
        rows = rows[rows["time"] > end - 15_000 * MINUTE]
        gaps = (rows["time"].diff().fillna(MINUTE) // MINUTE - 1).astype(int).tolist()
        values = rows[["time", "open", "high", "low", "close", "volume"]].itertuples(index=False)
        market[symbol] = [Bar(symbol, "1m", *row, gap=gap) for row, gap in zip(values, gaps, strict=True)]
    whole = joined(market, join([BarFrame.of(bars) for bars in market.values()], weights))
    known = [one.market_return is not None for one in whole["EOSUSD"]]
    assert 0.3 < sum(known) / len(known) < 1
    for size in (500, 1):
        sent = [bars[at : at + size] for bars in market.values() for at in range(0, len(bars), size)]
        sent.sort(key=lambda message: message[0].time)
        sent = sent if size > 1 else sent[-10_000:]
        _, results = fold([*sent, *ends(market)], Universe.of(weights))
        for symbol, bars in whole.items():
            rest = bars if size > 1 else bars[-len([m for m in sent if m[0].symbol == symbol]) :]
            assert results[symbol][: len(rest)][2:] == rest[2:]

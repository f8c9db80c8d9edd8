"""Ticks to bars: event time, grace, late and repeated trades, gaps; against pandas on real trades."""

from itertools import pairwise

import msgspec
import pandas as pd
import pytest
from feature_bars import MINUTE, real
from hypothesis import given, settings
from hypothesis import strategies as st

from features import bars as fold
from features.bars import BarState
from features.open_bar import REMEMBERED
from topics.codec import RejectedPart
from topics.limits import MOST_VOLUME
from topics.records import Bar, Tick

GRACE = 2_000
T0 = 1_600_000_020_000


def tick(after: int, price: float = 10.0, amount: float = 1.0, **other: str | None) -> Tick:
    """A trade that many milliseconds after T0, the start of a minute."""
    return Tick("BTCUSD", T0 + after, price, amount, **other)


def run(ticks: list[Tick], cuts: tuple[int, ...] = ()) -> tuple[BarState, list[Bar], list[RejectedPart]]:
    """Fold the ticks in messages cut there, the state through bytes at each cut."""
    state, bars, rejected = fold.initial(), list[Bar](), list[RejectedPart]()
    edges = [0, *sorted(cuts), len(ticks)]
    for position, (first, end) in enumerate(pairwise(edges)):
        state = BarState.loads(state.dumps())
        state, closed, refused = fold.step(state, ticks[first:end], position, "1m", GRACE)
        bars += closed
        rejected += refused
    return state, bars, rejected


def test_a_bar_closes_when_the_watermark_passes_its_end_by_the_grace() -> None:
    trades = [tick(0), tick(30_000, 12.0), tick(MINUTE - 1, 11.0)]
    assert run([*trades, tick(MINUTE + GRACE - 1)])[1] == []
    _, bars, rejected = run([*trades, tick(MINUTE + GRACE)])
    assert bars == [Bar("BTCUSD", "1m", T0, 10, 12, 10, 11, 3, trades=3, quote_volume=33)]
    assert rejected == []


def test_a_trade_within_the_grace_enters_its_own_bar() -> None:
    trades = [tick(1_000, 10.0), tick(MINUTE + 1_000, 20.0), tick(500, 9.0), tick(MINUTE - 1, 11.0)]
    _, bars, rejected = run([*trades, tick(3 * MINUTE)])
    first, second = bars
    assert (first.open, first.high, first.low, first.close, first.trades) == (9, 11, 9, 11, 3)
    assert (second.open, second.trades) == (20, 1)
    assert rejected == []


def test_a_trade_for_a_closed_bar_is_late_and_changes_nothing() -> None:
    late = tick(MINUTE - 1, 99.0)
    _, bars, rejected = run([tick(0), tick(MINUTE + GRACE), late, tick(2 * MINUTE + GRACE)])
    assert [bar.high for bar in bars] == [10, 10]
    reason = f"late: its 1m bar of {T0} closed 0 ms before, in event time"
    assert rejected == [RejectedPart(2, msgspec.json.encode(late), reason)]


def test_gaps_are_counted_and_no_bar_is_made_up() -> None:
    _, bars, _ = run([tick(0), tick(5 * MINUTE), tick(6 * MINUTE), tick(9 * MINUTE)])
    assert [(bar.time - T0, bar.gap) for bar in bars] == [(0, 0), (5 * MINUTE, 4), (6 * MINUTE, 0)]


def test_the_buyers_share_is_known_only_if_every_side_is() -> None:
    known = [tick(0, side="buy", amount=2.0), tick(1, side="sell", amount=3.0)]
    unknown = [tick(MINUTE, side="buy"), tick(MINUTE + 1)]
    _, bars, _ = run([*known, *unknown, tick(3 * MINUTE)])
    assert [(bar.volume, bar.buy_volume, bar.buy_trades) for bar in bars] == [(5, 2, 1), (2, None, None)]


def test_a_bar_opened_before_buyers_were_counted_does_not_know_them() -> None:
    state, _, _ = fold.step(fold.initial(), [tick(0, side="buy", amount=2.0)], 0, "1m", GRACE)
    older = msgspec.msgpack.decode(state.dumps())
    for bar in older["open"].values():
        del bar["buy_trades"]
    state = BarState.loads(msgspec.msgpack.encode(older))
    _, bars, _ = fold.step(state, [tick(1, side="buy"), tick(2 * MINUTE, side="buy")], 1, "1m", GRACE)
    assert [(bar.trades, bar.buy_volume, bar.buy_trades) for bar in bars] == [(2, 3, None)]


def test_a_message_delivered_again_changes_nothing() -> None:
    first = [tick(0), tick(MINUTE + GRACE)]
    state, bars, _ = fold.step(fold.initial(), first, 7, "1m", GRACE)
    assert (state.position, state.last_time, len(bars)) == (7, T0, 1)
    assert fold.step(state, first, 7, "1m", GRACE) == (state, [], [])
    assert fold.step(state, [tick(9 * MINUTE)], 3, "1m", GRACE) == (state, [], [])


def test_a_trade_sent_twice_counts_once_while_its_id_is_remembered() -> None:
    trades = [tick(k, trade_id=str(k)) for k in range(REMEMBERED + 1)]
    again = [trades[1], trades[-1]]
    state, bars, rejected = run([*trades, *again, tick(2 * MINUTE)])
    assert (bars[0].trades, rejected, len(state.seen)) == (len(trades), [], REMEMBERED)
    forgotten = run([*trades, trades[0], tick(2 * MINUTE)])[1]
    assert forgotten[0].trades == len(trades) + 1


def test_trades_of_two_venues_may_have_one_id() -> None:
    trades = [tick(0, trade_id="7", venue="binance"), tick(1, trade_id="7", venue="kraken"), tick(2, trade_id="7")]
    _, (bar,), _ = run([*trades, *trades, tick(MINUTE + GRACE)])
    assert bar.trades == 3


def test_the_old_state_stays_as_it_was() -> None:
    state, _, _ = fold.step(fold.initial(), [tick(0, trade_id="a")], 0, "1m", GRACE)
    before = state.dumps()
    fold.step(state, [tick(1, 20.0, trade_id="b")], 1, "1m", GRACE)
    assert state.dumps() == before


def test_sums_that_overflow_are_refused_not_raised() -> None:
    state, _, _ = fold.step(fold.initial(), [tick(0, 1.0, 1e18)], 0, "1m", GRACE)
    (full,) = state.open.values()
    full.volume = MOST_VOLUME - 1e18
    _, bars, rejected = fold.step(state, [tick(1, 1.0, 1e18), tick(2, 1.0, 1e18), tick(2 * MINUTE)], 1, "1m", GRACE)
    assert [bar.volume for bar in bars] == [MOST_VOLUME]
    assert [(refused.row, "may hold" in refused.reason) for refused in rejected] == [(1, True)]


def test_bytes_that_are_no_state_are_refused() -> None:
    with pytest.raises(ValueError, match="position"):
        BarState.loads(msgspec.msgpack.encode({"position": "x"}))


TICKS = st.lists(
    st.builds(
        tick,
        after=st.integers(0, 8 * MINUTE),
        price=st.sampled_from([0.1, 0.7, 1.3, 2.9]),
        amount=st.floats(1e-8, 1e6),
        side=st.sampled_from(["buy", "sell", None]),
        trade_id=st.none() | st.sampled_from(["a", "b", "c", "d"]),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(TICKS, st.lists(st.integers(0, 60), max_size=5))
def test_any_cut_gives_the_same_bars(ticks: list[Tick], cuts: list[int]) -> None:
    whole, cut = run(ticks), run(ticks, tuple(min(cut, len(ticks)) for cut in cuts))
    assert cut[1] == whole[1]
    assert [refused.value for refused in cut[2]] == [refused.value for refused in whole[2]]
    assert msgspec.structs.replace(cut[0], position=0).dumps() == msgspec.structs.replace(whole[0], position=0).dumps()


@settings(deadline=None)
@given(TICKS)
def test_every_trade_is_in_a_bar_or_open_or_late_or_a_repetition(ticks: list[Tick]) -> None:
    state, bars, rejected = run(ticks)
    ids = [one.trade_id for one in ticks if one.trade_id is not None]
    counted = sum(bar.trades or 0 for bar in bars) + sum(bar.trades for bar in state.open.values()) + len(rejected)
    assert counted == len(ticks) - (len(ids) - len(set(ids)))
    times = [bar.time for bar in bars]
    assert times == sorted(set(times))
    assert all((b.time - a.time) // MINUTE - 1 == b.gap for a, b in pairwise(bars))


def rounded(bar: Bar) -> Bar:
    return msgspec.structs.replace(bar, quote_volume=round(bar.quote_volume or 0.0, 9))


@settings(deadline=None)
@given(TICKS)
def test_without_lateness_the_order_of_arrival_does_not_matter(ticks: list[Tick]) -> None:
    """A grace as long as the whole stream: shuffled trades give the bars of sorted ones (ties and rounding apart)."""
    unique = {one.time: msgspec.structs.replace(one, trade_id=None, amount=1.0) for one in ticks}
    ordered = sorted(unique.values(), key=lambda one: one.time)
    end = tick(200 * MINUTE)
    _, shuffled, _ = fold.step(fold.initial(), [*unique.values(), end], 0, "1m", 100 * MINUTE)
    _, in_order, _ = fold.step(fold.initial(), [*ordered, end], 0, "1m", 100 * MINUTE)
    assert [rounded(bar) for bar in shuffled] == [rounded(bar) for bar in in_order]


@pytest.mark.parametrize("interval", ["1m", "15m", "1h"])
def test_bars_of_real_trades_equal_those_of_pandas(interval: str) -> None:
    path = real("permissive", "trades_bitcoincharts", "bitstampUSD.csv")
    trades = pd.read_csv(path, names=["time", "price", "amount"])
    trades = trades[trades["amount"] > 0]
    rows = zip(trades["time"].tolist(), trades["price"].tolist(), trades["amount"].tolist(), strict=True)
    ticks = [Tick("BTCUSD", 1_000 * time, price, amount) for time, price, amount in rows]
    state, bars = fold.initial(), list[Bar]()
    for position in range(0, len(ticks), 500):
        state, closed, rejected = fold.step(state, ticks[position : position + 500], position, interval, GRACE)
        assert rejected == []
        bars += closed
    step = interval.replace("m", "min")
    trades["quote"] = trades["price"] * trades["amount"]
    grid = trades.set_index(pd.to_datetime(trades["time"], unit="s")).resample(step)
    sums = grid[["amount", "quote"]].sum()
    columns = {"volume": sums["amount"], "trades": grid["price"].count(), "quote_volume": sums["quote"]}
    expected = grid["price"].ohlc().assign(**columns)
    expected = expected[expected["trades"] > 0][: len(bars)]
    assert [bar.time for bar in bars] == expected.index.as_unit("ms").astype("int64").tolist()
    for name in ("open", "high", "low", "close", "trades"):
        assert [getattr(bar, name) for bar in bars] == expected[name].tolist()
    for name in ("volume", "quote_volume"):
        assert [getattr(bar, name) for bar in bars] == pytest.approx(expected[name].tolist())
    missing = expected.index.to_series().diff() / pd.Timedelta(step) - 1
    assert [bar.gap for bar in bars] == missing.fillna(0).tolist()
    assert all(bar.buy_volume is None for bar in bars)

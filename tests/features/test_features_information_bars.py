"""Tick, volume, dollar and range bars: where they end, what they hold, and against exact arithmetic on real trades."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate, pairwise

import msgspec
import pytest
from feature_bars import real
from hypothesis import given, settings
from hypothesis import strategies as st

from features import information_bars as fold
from features.information_bars import InformationState
from features.open_bar import REMEMBERED
from topics.codec import RejectedPart, decode, encode
from topics.limits import EARLIEST, END_OF_TIME, MOST_QUOTE, MOST_VOLUME
from topics.records import Bar, Tick

T0 = 1_600_000_020_000


def tick(after: int, price: float = 10.0, amount: float = 1.0, **other: str | None) -> Tick:
    """A trade that many milliseconds after T0."""
    return Tick("BTCUSD", T0 + after, price, amount, **other)


def run(
    ticks: list[Tick], interval: str, cuts: tuple[int, ...] = ()
) -> tuple[InformationState, list[Bar], list[RejectedPart]]:
    """Fold the ticks in messages cut there, the state through bytes at each cut."""
    state, bars, rejected = fold.initial(), list[Bar](), list[RejectedPart]()
    for position, (first, end) in enumerate(pairwise([0, *sorted(cuts), len(ticks)])):
        state = InformationState.loads(state.dumps())
        state, closed, refused = fold.step(state, ticks[first:end], position, interval)
        bars += closed
        rejected += refused
    return state, bars, rejected


# --- where a bar ends ------------------------------------------------------------------------------------------------


def test_a_tick_bar_is_so_many_trades_in_the_order_in_which_they_came() -> None:
    trades = [tick(7, 10.0), tick(3, 12.0), tick(9, 9.0, 2.0), tick(11, 11.0)]
    state, bars, rejected = run(trades, "tick-3")
    assert bars == [Bar("BTCUSD", "tick-3", T0 + 7, 10, 12, 9, 9, 4, trades=3, quote_volume=40)]
    assert state.open is not None
    assert (state.open.trades, state.open.open, rejected) == (1, 11, [])


def test_the_trade_that_fills_a_bar_belongs_to_it_whole_and_nothing_is_carried_over() -> None:
    trades = [tick(0, amount=2.0), tick(1, amount=7.5), tick(2, amount=2.5), tick(3, amount=0.1)]
    _, bars, _ = run(trades, "volume-2.5")
    assert [(bar.time - T0, bar.volume, bar.trades) for bar in bars] == [(0, 9.5, 2), (2, 2.5, 1)]


def test_a_dollar_bar_counts_price_times_amount() -> None:
    trades = [tick(0, 100.0, 3.0), tick(1, 50.0, 10.0), tick(2, 1.0, 799.0), tick(3, 1.0, 1.0)]
    _, bars, _ = run(trades, "dollar-800")
    assert [(bar.quote_volume, bar.trades) for bar in bars] == [(800, 2), (800, 2)]


def test_a_range_bar_ends_when_high_and_low_are_so_many_basis_points_of_the_open_apart() -> None:
    trades = [tick(k, price) for k, price in enumerate([100.0, 99.96, 100.05, 100.06, 50.0, 50.1, 50.0, 49.9])]
    _, bars, _ = run(trades, "range-10")
    assert [(bar.open, bar.high, bar.low, bar.close, bar.trades) for bar in bars] == [
        (100.0, 100.06, 99.96, 100.06, 4),
        (50.0, 50.1, 50.0, 50.1, 2),
        (50.0, 50.0, 49.9, 49.9, 2),
    ]


@pytest.mark.parametrize(
    ("interval", "trades", "ends"),
    [
        ("volume-1", [tick(k, amount=0.1) for k in range(10)], 10),
        ("range-10", [tick(0, 100.0), tick(1, 100.1)], 2),
        ("dollar-1", [tick(k, price=0.1, amount=1.0) for k in range(10)], 10),
    ],
)
def test_a_threshold_that_decimals_reach_is_reached_in_binary_too(interval: str, trades: list[Tick], ends: int) -> None:
    assert [bar.trades for bar in run(trades, interval)[1]] == [ends]


def test_an_interval_of_time_is_refused() -> None:
    with pytest.raises(ValueError, match="1m bars are cut by time"):
        fold.step(fold.initial(), [tick(0)], 0, "1m")


# --- times are identities --------------------------------------------------------------------------------------------


def test_bars_that_begin_at_one_millisecond_or_earlier_follow_each_other_by_one() -> None:
    _, bars, _ = run([tick(after) for after in (5, 5, 4, 0, 8, 7)], "tick-1")
    assert [bar.time - T0 for bar in bars] == [5, 6, 7, 8, 9, 10]
    _, bars, _ = run([tick(after) for after in (5, 100, 5, 100, 200)], "tick-2")
    assert [bar.time - T0 for bar in bars] == [5, 6]


def test_where_time_ends_trades_are_refused_and_what_was_published_can_be_read() -> None:
    end = [Tick("BTCUSD", END_OF_TIME - 1, 1.0, 1.0)] * 2
    state, bars, rejected = run([*end, tick(0)], "tick-1")
    assert decode(encode(bars), Bar).records == bars
    assert [(one.row, one.reason) for one in rejected] == [
        (1, "no time is left for a tick-1 bar after the last one"),
        (2, "no time is left for a tick-1 bar after the last one"),
    ]
    assert state.open is None


# --- the state -------------------------------------------------------------------------------------------------------


def test_the_buyers_share_is_known_only_if_every_side_is() -> None:
    known = [tick(0, side="buy", amount=2.0), tick(1, side="sell", amount=3.0), tick(2, side="buy")]
    unknown = [tick(3, side="buy"), tick(4), tick(5, side="buy")]
    _, bars, _ = run([*known, *unknown], "tick-3")
    assert [(bar.volume, bar.buy_volume, bar.buy_trades) for bar in bars] == [(6, 3, 2), (3, None, None)]


def test_a_message_delivered_again_changes_nothing() -> None:
    first = [tick(0), tick(1), tick(2)]
    state, bars, _ = fold.step(fold.initial(), first, 7, "tick-2")
    assert (state.position, state.last_time, len(bars)) == (7, T0, 1)
    assert fold.step(state, first, 7, "tick-2") == (state, [], [])
    assert fold.step(state, [tick(9)], 3, "tick-2") == (state, [], [])


def test_a_trade_sent_twice_counts_once_while_its_id_is_remembered() -> None:
    trades = [tick(k, trade_id=str(k)) for k in range(REMEMBERED + 1)]
    state, bars, _ = run([*trades, trades[1], trades[-1]], f"tick-{REMEMBERED + 2}")
    assert (bars, len(state.seen)) == ([], REMEMBERED)
    assert len(run([*trades, trades[0]], f"tick-{REMEMBERED + 2}")[1]) == 1


def test_the_old_state_stays_as_it_was() -> None:
    state, _, _ = fold.step(fold.initial(), [tick(0, trade_id="a")], 0, "tick-9")
    before = state.dumps()
    fold.step(state, [tick(1, 20.0, trade_id="b")], 1, "tick-9")
    assert state.dumps() == before


def test_sums_that_overflow_are_refused_not_raised() -> None:
    state, _, _ = fold.step(fold.initial(), [tick(0, 1.0, 1.0)], 0, "tick-2")
    assert state.open is not None
    state.open.volume, state.open.quote_volume = MOST_VOLUME, MOST_QUOTE - 1e29
    _, bars, rejected = fold.step(state, [tick(1, 1.0, 1e18), tick(2, 1e12, 1e18), tick(3, 1.0, 1e-18)], 1, "tick-2")
    assert [bar.volume for bar in bars] == [MOST_VOLUME]
    assert [one.row for one in rejected] == [0, 1]
    assert all("tick-2 bar's volume would be beyond what a bar may hold" in one.reason for one in rejected)


def test_bytes_that_are_no_state_are_refused() -> None:
    with pytest.raises(ValueError, match="position"):
        InformationState.loads(msgspec.msgpack.encode({"position": "x"}))
    for data in (b"", b"\xc1", b"garbage"):
        with pytest.raises((ValueError, msgspec.DecodeError)):
            InformationState.loads(data)


# --- whatever comes --------------------------------------------------------------------------------------------------

INTERVALS = st.sampled_from(["tick-1", "tick-4", "volume-3", "volume-0.5", "dollar-20", "range-100", "range-2.5"])
TICKS = st.lists(
    st.builds(
        tick,
        after=st.integers(0, 30),
        price=st.sampled_from([9.99, 10.0, 10.01, 10.5]),
        amount=st.integers(1, 64).map(lambda eighths: eighths / 8),  # sums of these are exact
        side=st.sampled_from(["buy", "sell", None]),
        trade_id=st.none() | st.sampled_from(["a", "b", "c", "d"]),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(TICKS, INTERVALS, st.lists(st.integers(0, 60), max_size=5))
def test_any_cut_gives_the_same_bars(ticks: list[Tick], interval: str, cuts: list[int]) -> None:
    whole, cut = run(ticks, interval), run(ticks, interval, tuple(min(cut, len(ticks)) for cut in cuts))
    assert cut[1] == whole[1]
    assert msgspec.structs.replace(cut[0], position=0).dumps() == msgspec.structs.replace(whole[0], position=0).dumps()


@settings(deadline=None)
@given(TICKS, INTERVALS)
def test_every_trade_is_in_one_bar_and_all_bars_but_the_open_one_are_full(ticks: list[Tick], interval: str) -> None:
    state, bars, rejected = run(ticks, interval)
    ids = set[str]()
    once = [one for one in ticks if one.trade_id is None or not (one.trade_id in ids or ids.add(one.trade_id))]
    assert rejected == []
    rest = [] if state.open is None else [state.open]
    assert sum(bar.trades or 0 for bar in bars) + sum(bar.trades for bar in rest) == len(once)
    assert sum(bar.volume or 0 for bar in bars) + sum(bar.volume for bar in rest) == sum(one.amount for one in once)
    ends = [0, *accumulate(bar.trades or 0 for bar in bars)]
    for bar, (first, end) in zip(bars, pairwise(ends), strict=True):
        prices = [one.price for one in once[first:end]]
        assert (bar.open, bar.high, bar.low, bar.close) == (prices[0], max(prices), min(prices), prices[-1])
        assert bar.gap == 0
    times = [bar.time for bar in bars]
    assert times == sorted(set(times))
    assert all(bar.time >= once[first].time for bar, first in zip(bars, ends, strict=False))
    assert decode(encode(bars), Bar).records == bars if bars else True


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Tick,
            symbol=st.just("A"),
            time=st.integers(EARLIEST, END_OF_TIME - 1) | st.just(END_OF_TIME - 1),
            price=st.floats(1e-12, 1e12),
            amount=st.floats(1e-18, 1e18),
            side=st.sampled_from(["buy", "sell", None]),
            trade_id=st.none() | st.text(max_size=3),
        ),
        max_size=30,
    ),
    INTERVALS,
)
def test_no_tick_makes_the_fold_raise_or_publish_what_cannot_be_read(ticks: list[Tick], interval: str) -> None:
    state, bars, _ = run(ticks, interval)
    assert InformationState.loads(state.dumps()) == state
    assert not bars or decode(encode(bars), Bar).records == bars


# --- against another implementation ----------------------------------------------------------------------------------


@dataclass
class Exact:
    """A bar in decimal arithmetic."""

    time: int
    prices: list[Decimal] = field(default_factory=list)
    amounts: list[Decimal] = field(default_factory=list)

    def size(self, kind: str) -> Decimal:
        match kind:
            case "tick":
                return Decimal(len(self.prices))
            case "volume":
                return sum(self.amounts, Decimal(0))
            case "dollar":
                return sum((p * a for p, a in zip(self.prices, self.amounts, strict=True)), Decimal(0))
        return 10_000 * (max(self.prices) - min(self.prices)) / self.prices[0]


def exactly(trades: list[list[str]], interval: str) -> Iterator[Exact]:
    """Cut trades (seconds, price, amount as text) into bars, by looking at each bar whole after every trade."""
    kind, size = interval.split("-")
    bar: Exact | None = None
    last = -1
    for seconds, price, amount in trades:
        bar = bar or Exact(max(1_000 * int(seconds), last + 1))
        bar.prices.append(Decimal(price))
        bar.amounts.append(Decimal(amount))
        if bar.size(kind) >= Decimal(size):
            yield bar
            last, bar = bar.time, None


@pytest.mark.parametrize(
    "interval", ["tick-1", "tick-7", "volume-25", "volume-0.5", "dollar-100", "dollar-1000", "range-10", "range-250"]
)
def test_bars_of_real_trades_equal_those_of_exact_arithmetic(interval: str) -> None:
    path = real("permissive", "trades_bitcoincharts", "bitstampUSD.csv")
    trades = [row for row in (line.split(",") for line in path.read_text().split()) if Decimal(row[2]) > 0]
    ticks = [Tick("BTCUSD", 1_000 * int(time), float(price), float(amount)) for time, price, amount in trades]
    _, bars, rejected = run(ticks, interval, tuple(range(0, len(ticks), 500)))
    expected = list(exactly(trades, interval))
    assert rejected == []
    assert len(bars) > 50
    assert [bar.time for bar in bars] == [bar.time for bar in expected]
    for bar, exact in zip(bars, expected, strict=True):
        prices = [float(price) for price in exact.prices]
        assert (bar.open, bar.high, bar.low, bar.close) == (prices[0], max(prices), min(prices), prices[-1])
        assert bar.trades == len(prices)
        assert bar.volume == pytest.approx(float(exact.size("volume")))
        assert bar.quote_volume == pytest.approx(float(exact.size("dollar")))
        assert (bar.gap, bar.buy_volume, bar.buy_trades) == (0, None, None)

"""Which bars are suspect, in words; and what looks like one and is none."""

from collections.abc import Sequence

import numpy as np
import pytest

from features.suspect_prices import HELD, MIN_SEEN, SuspectState, mark
from topics.records import Bar

MINUTE, AT = 60_000, 300


def bars(seed: int = 1, rows: int = 500, size: float = 1e-3, gap: int = 0) -> list[Bar]:
    """Return a walk; the bar at `AT` comes after `gap` missing ones."""
    close = 100 * np.exp(np.cumsum(size * np.random.default_rng(seed).standard_normal(rows)))
    results = []
    for row in range(rows):
        first, last = float(close[max(row - 1, 0)]), float(close[row])
        time = MINUTE * (row + (gap if row >= AT else 0))
        high, low = max(first, last), min(first, last)
        results.append(Bar("COIN", "1m", time, first, high, low, last, 1.0, gap=gap if row == AT else 0))
    return results


def priced(bar: Bar, **prices: float) -> Bar:
    """Return the bar with other prices, high and low as far as these need."""
    values = {name: getattr(bar, name) for name in ("open", "close")} | prices
    high = max(prices.get("high", bar.high), values["open"], values["close"])
    low = min(prices.get("low", bar.low), values["open"], values["close"])
    return Bar(bar.symbol, bar.interval, bar.time, values["open"], high, low, values["close"], bar.volume, gap=bar.gap)


def said(of: Sequence[Bar]) -> dict[int, str]:
    results = mark(SuspectState(), of)[1]
    assert [bar.time for bar in results] == [bar.time for bar in of]
    return {row: bar.suspect for row, bar in enumerate(results) if bar.suspect is not None}


def test_a_close_of_ten_times_its_neighbours_is_suspect_and_the_bar_that_comes_back_is_not() -> None:
    of = bars()
    of[AT] = priced(of[AT], close=10 * of[AT].close)
    of[AT + 1] = priced(of[AT + 1], open=of[AT].close)
    fields = said(of)
    assert list(fields) == [AT]
    assert fields[AT].startswith("close is 10.0 times the close before, ")
    assert fields[AT].endswith(" times a usual move")
    assert int(fields[AT].split()[-5]) == pytest.approx(np.log(10) / (1e-3 * np.sqrt(2 / np.pi)), rel=0.2)
    assert mark(SuspectState(), of)[1][AT].close == of[AT].close


@pytest.mark.parametrize(
    ("name", "factor", "words"),
    [
        ("close", 0.1, "close is 0.1 times the close before, "),
        ("close", 1e-7, "close is 1e-07 times the close before, "),
        ("high", 9.0, "high is 9.0 times the closes beside it, "),
        ("low", 0.3, "low is 0.3 times the closes beside it, "),
    ],
)
def test_the_reason_names_the_price(name: str, factor: float, words: str) -> None:
    of = bars()
    of[AT] = priced(of[AT], **{name: factor * of[AT - 1].close})
    fields = said(of)
    assert list(fields) == [AT]
    assert fields[AT].startswith(words)


def test_two_wrong_prices_are_two_suspect_bars() -> None:
    of = bars()
    for row in (AT, AT + 2):
        of[row] = priced(of[row], close=10 * of[row].close)
    assert list(said(of)) == [AT, AT + 2]


@pytest.mark.parametrize("factor", [1e3, 1e-3])
def test_a_price_level_that_holds_is_no_longer_suspect(factor: float) -> None:
    of = [
        bar if row < AT else priced(bar, **{name: factor * getattr(bar, name) for name in ("open", "close")})
        for row, bar in enumerate(bars())
    ]
    for row in range(AT, len(of)):
        of[row] = Bar("COIN", "1m", of[row].time, of[row].close, of[row].close, of[row].close, of[row].close, 1.0)
    assert list(said(of)) == list(range(AT, AT + HELD - 1))


@pytest.mark.parametrize("factor", [0.7, 1.4, 0.55, 1.9])
def test_a_crash_or_a_leap_is_not_suspect(factor: float) -> None:
    of = bars()
    of[AT:] = [priced(bar, close=factor * bar.close, open=factor * bar.open) for bar in of[AT:]]
    for row in range(AT, len(of)):
        of[row] = Bar("COIN", "1m", of[row].time, of[row].close, of[row].close, of[row].close, of[row].close, 1.0)
    assert said(of) == {}


def test_where_moves_are_large_larger_ones_are_usual() -> None:
    of = bars(size=0.2)
    of[AT] = priced(of[AT], close=10 * of[AT].close)
    assert said(of) == {}


def test_over_a_gap_a_price_may_be_another() -> None:
    for gap, suspect in ((0, True), (100_000, False)):
        of = bars(gap=gap)
        of[AT] = priced(of[AT], close=3 * of[AT].close)
        assert (AT in said(of)) is suspect


def test_the_first_bars_and_a_market_that_stands_still() -> None:
    still = [Bar("COIN", "1m", MINUTE * row, 1.0, 1.0, 1.0, 1.0, 1.0) for row in range(50)]
    for row, suspect in ((0, False), (MIN_SEEN - 1, False), (MIN_SEEN, True), (40, True)):
        of = [priced(bar, close=10.0) if bar.time == MINUTE * row else bar for bar in still]
        assert (row in said(of)) is suspect
        if suspect:
            assert said(of) == {row: "close is 10.0 times the close before"}


@pytest.mark.parametrize("cut", [1, 7, AT, AT + 1, AT + 3])
def test_cutting_anywhere_changes_no_reason(cut: int) -> None:
    of = bars()
    for row in (AT, AT + 1, AT + 4):
        of[row] = priced(of[row], close=0.01 * of[row].close)
    state, first = mark(SuspectState(), of[:cut])
    end, second = mark(state, of[cut:])
    assert (end, first + second) == mark(SuspectState(), of)
    assert mark(state, []) == (state, [])


def test_the_future_changes_no_bar() -> None:
    of = bars()
    of[AT] = priced(of[AT], close=10 * of[AT].close)
    assert mark(SuspectState(), of[: AT + 1])[1] == mark(SuspectState(), of)[1][: AT + 1]

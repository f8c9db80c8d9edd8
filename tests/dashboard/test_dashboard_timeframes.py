"""How long a candle is, and what is read around the viewer's view."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.live.timeframes import MOST, TIMEFRAMES, Window, around, newest, timeframe
from dashboard.live.view_state import SPANS
from topics.units import interval_ms

MINUTE = 60_000
T0 = 1_747_526_400_000


def test_each_span_has_its_timeframe() -> None:
    assert [newest("1m", span).timeframe for span in SPANS] == ["1m", "1m", "5m", "15m", "1h"]
    assert newest("1m", 180) == Window(180, None, "1m")


def test_bars_that_are_longer_than_a_timeframe_are_not_cut() -> None:
    assert timeframe("1h", 2_880) == "1d"
    assert timeframe("4h", 180) == "4h"
    assert timeframe("1d", 1e6) == "1d"  # nothing longer is left
    assert timeframe("7m", 1e6) == "7m"  # it makes up no hour


@given(bars=st.floats(10, 1e6), start=st.integers(0, 10_000_000))
def test_what_is_read_holds_the_view_and_is_never_too_much_to_draw(bars: float, start: int) -> None:
    begin = T0 + start * 1_000.0
    window = around("1m", begin, begin + bars * MINUTE)
    assert window.end is not None
    assert window.end - window.bars * MINUTE <= begin
    assert window.end >= begin + bars * MINUTE
    candles = window.bars * MINUTE / interval_ms(window.timeframe)
    assert candles <= 2.5 * MOST or window.timeframe == TIMEFRAMES[-1]


def test_a_small_move_of_the_view_keeps_the_window() -> None:
    begin = T0 + 40 * MINUTE
    assert around("1m", begin, begin + 200 * MINUTE) == around("1m", begin + MINUTE, begin + 201 * MINUTE)

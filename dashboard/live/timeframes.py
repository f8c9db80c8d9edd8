"""How long a candle is where many bars are in view, and which bars are read around what the viewer looks at."""

from dataclasses import dataclass
from math import ceil, floor, log2

from topics.units import interval_ms

TIMEFRAMES = ("1m", "5m", "15m", "1h", "1d")
MOST = 1_100
"""Candles in view at most, while a longer one of `TIMEFRAMES` is left."""
LEAST_BARS = 32
"""A view is taken to be so many bars wide at least."""


@dataclass(frozen=True)
class Window:
    """`bars` bars up to the one at `end` [ms], None for the newest, drawn as candles of `timeframe`."""

    bars: int
    end: int | None
    timeframe: str


def rounded(bars: float) -> int:
    """Return the next power of two, so that a small change of the view changes nothing."""
    return int(2 ** ceil(log2(max(LEAST_BARS, bars))))


def timeframe(interval: str, bars: float) -> str:
    """Return how long a candle is where so many bars are in view: the bars' own interval, or a multiple of it.

    >>> [timeframe("1m", bars) for bars in (180, 720, 2_880, 10_080, 43_200, 500_000)]
    ['1m', '1m', '5m', '15m', '1h', '1d']
    """
    step = interval_ms(interval)
    longer = [name for name in TIMEFRAMES if interval_ms(name) > step and interval_ms(name) % step == 0]
    choices = [interval, *longer]
    fitting = (name for name in choices if rounded(bars) * step <= MOST * interval_ms(name))
    return next(fitting, choices[-1])


def newest(interval: str, bars: int) -> Window:
    """Return the window of the newest bars."""
    return Window(bars, None, timeframe(interval, bars))


def around(interval: str, start: float, end: float) -> Window:
    """Return a window that holds the view from `start` to `end` [ms], with room on both sides for small moves."""
    step = interval_ms(interval)
    bars = rounded((end - start) / step)
    part = bars * step // 4
    first, last = (floor(start / part) - 1) * part, (ceil(end / part) + 1) * part
    return Window((last - first) // step, last, timeframe(interval, bars))

"""Markets of several symbols, the messages that carry them, and what the fold makes of those."""

from bisect import bisect_right
from collections.abc import Sequence
from math import exp

import numpy as np
from hypothesis import strategies as st
from msgspec.structs import replace

from features.cross_section import Universe
from features.frame import ROWS, BarFrame
from features.market import ALLOWED_LATENESS, MarketState, initial, step
from topics.records import Bar

MINUTE = 60_000
WEIGHTS = {"ETH": 1.0, "BTC": 2.5, "XRP": 0.3, "ADA": 1.0}
UNIVERSE = Universe.of(WEIGHTS)
MARKET = ("market_return", "market_rank", "lead_return")
Market = dict[str, list[Bar]]
Message = list[Bar]


def bar(symbol: str, minute: int, close: float, gap: int = 0) -> Bar:
    return Bar(symbol, "1m", minute * MINUTE, close, close, close, close, 1.0, gap=gap)


def made(symbol: str, minutes: Sequence[int], seed: int) -> list[Bar]:
    """Bars at those minutes, with a walk of few values so that returns tie, and gaps as their source counts them."""
    random = np.random.default_rng(seed)
    level, last, bars = 0, None, []
    for minute in minutes:
        level += int(random.integers(-2, 3))
        close = 100 * exp(level / 1_000) + (random.random() if random.random() < 0.5 else 0.0)
        bars.append(bar(symbol, minute, close, 0 if last is None else minute - last - 1))
        last = minute
    return bars


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """Up to four symbols with gaps short and long; one may begin late, end early or never come."""
    values: Market = {}
    for symbol in WEIGHTS:
        steps = draw(st.lists(st.sampled_from((1, 1, 1, 1, 2, 3, 40)), max_size=60))
        start = draw(st.sampled_from((0, 0, 5, 30)))
        minutes = [start + int(at) for at in np.cumsum(steps)]
        if minutes:
            values[symbol] = made(symbol, minutes, draw(st.integers(0, 2**32 - 1)))
    return values


@st.composite
def messages(draw: st.DrawFn, market: Market, patient: bool) -> list[Message]:
    """The market in frames of any size; when `patient`, no bar comes later than the fold waits for it."""
    left = {symbol: list(bars) for symbol, bars in market.items()}
    firsts: dict[str, list[int]] = {symbol: [] for symbol in market}
    sent: list[Message] = []
    while left:
        symbol = draw(st.sampled_from(sorted(left)))
        if patient and impatient(symbol, left, firsts):
            symbol = min(left, key=lambda one: left[one][0].time)
        size = draw(st.sampled_from((1, 1, 2, 7, 100)))
        sent.append(left[symbol][:size])
        firsts[symbol].append(sent[-1][0].time)
        left[symbol] = left[symbol][size:]
        if not left[symbol]:
            del left[symbol]
    return sent


def impatient(symbol: str, left: Market, firsts: dict[str, list[int]]) -> bool:
    """Return whether another message of the symbol would be one too many for a symbol that lags."""
    after = [*firsts[symbol], left[symbol][0].time]
    others = [bars[0].time for one, bars in left.items() if one != symbol]
    return any(len(after) - bisect_right(after, time) >= ALLOWED_LATENESS for time in others)


def fold(
    sent: Sequence[Message], universe: Universe = UNIVERSE, through_bytes: bool = False
) -> tuple[MarketState, Market]:
    """Fold the messages; return the state and what went out, by symbol."""
    state, values = initial(), dict[str, list[Bar]]()
    for message in sent:
        if through_bytes:
            state = MarketState.loads(state.dumps())
        state, out = step(state, message, universe)
        for one in out:
            values.setdefault(one.symbol, []).append(one)
    return state, values


def ends(market: Market) -> list[Message]:
    """Messages so late that all that waits goes out before them."""
    return [[bar(symbol, 100_000 + turn, 100.0)] for turn in range(ALLOWED_LATENESS + 1) for symbol in market]


def bare(one: Bar) -> Bar:
    """The bar as it was before it met the market."""
    return replace(one, **dict.fromkeys(MARKET))


def joined(market: Market, frames: Sequence[BarFrame]) -> Market:
    """The bars with the columns of the frames, one a symbol in the market's order."""
    values: Market = {}
    for (symbol, bars), frame in zip(market.items(), frames, strict=True):
        reported = [frame.numbers[ROWS.index(name)].tolist() for name in MARKET]
        known = [tuple(None if value != value else value for value in row) for row in zip(*reported, strict=True)]  # noqa: PLR0124 - NaN
        values[symbol] = [
            replace(one, **dict(zip(MARKET, row, strict=True))) for one, row in zip(bars, known, strict=True)
        ]
    return values

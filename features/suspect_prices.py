"""Detects bars with a suspect price: a causal fold over the bars of one symbol and interval.

A bar is suspect whose close is at least `LEAST` times the close before, or a `LEAST`-th of it, and `USUAL` usual moves
away; so is one whose high or low is that far from both closes. It is kept, with the reason; readers decide. Bars at the
level of a suspect one are suspect too, until the level has lasted for `HELD` bars: then it counts as real.
"""

from collections.abc import Sequence
from math import exp, log, sqrt

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from features.compiled import compiled_and_kept
from features.frame import Floats, Ints
from topics.records import Bar

Codes = npt.NDArray[np.int8]

LEAST = 2.0
USUAL = 40.0
"""Of 4.5 million bars of unfiltered data, minutes to days, four exceed both thresholds: docs/why.md."""
HELD = 5
HALF_LIFE = 240
"""The time constant, in bars, of the usual move: the mean absolute return of one bar, without suspect ones."""
MIN_SEEN = 10
"""The number of bars from which on the usual move is known."""
CLOSE, HIGH, LOW = 1, 2, 3
NAMES = {CLOSE: "close", HIGH: "high", LOW: "low"}


class SuspectState(Struct, frozen=True, kw_only=True):
    """The state after the previous bars.

    `close` is the last one that was not suspect, `moment` over `weight` the usual move, from `count` bars; `level` is
    the close of the last suspect bar, `held` for that many bars in a row, 0 after one that is not suspect.
    """

    close: float = 0.0
    moment: float = 0.0
    weight: float = 0.0
    count: int = 0
    level: float = 0.0
    held: int = 0


def mark(state: SuspectState, bars: Sequence[Bar]) -> tuple[SuspectState, list[Bar]]:
    """Return the bars of one symbol and interval, in time order, with the reason in the suspect ones."""
    if not bars:
        return state, []
    gap = np.array([bar.gap for bar in bars], dtype=np.int64)
    high, low, close = (np.array([getattr(bar, name) for bar in bars]) for name in ("high", "low", "close"))
    state, values = reasons(state, gap, high, low, close)
    return state, [replace(bar, suspect=values[row]) if row in values else bar for row, bar in enumerate(bars)]


def reasons(
    state: SuspectState, gap: Ints, high: Floats, low: Floats, close: Floats
) -> tuple[SuspectState, dict[int, str]]:
    """Return what is suspect in which of the bars, each column [n]; `gap` counts the intervals missing before a bar."""
    (codes, times, moves), (believed, moment, weight, count, level, held) = _fold(
        gap, high, low, close, state.close, state.moment, state.weight, state.count, state.level, state.held
    )
    values = {row: _words(int(codes[row]), times[row], moves[row]) for row in np.flatnonzero(codes).tolist()}
    return SuspectState(close=believed, moment=moment, weight=weight, count=count, level=level, held=held), values


def _words(code: int, times: float, moves: float) -> str:
    beside = "the close before" if code == CLOSE else "the closes beside it"
    factor = f"{times:.1f}" if 1 <= times < 1e6 else f"{times:.3g}"
    usual = f", {moves:.0f} times a usual move" if moves < 1e6 else ""
    return f"{NAMES[code]} is {factor} times {beside}{usual}"


@compiled_and_kept
def _fold(
    gaps: Ints,
    highs: Floats,
    lows: Floats,
    closes: Floats,
    close: float,
    moment: float,
    weight: float,
    count: int,
    level: float,
    held: int,
) -> tuple[tuple[Codes, Floats, Floats], tuple[float, float, float, int, float, int]]:
    """Return for each bar which price is suspect, its ratio to the neighbouring prices, and its distance in usual
    moves."""
    decay = 0.5 ** (1 / HALF_LIFE)
    codes = np.zeros(len(closes), dtype=np.int8)
    times, moves = np.zeros(len(closes)), np.zeros(len(closes))
    for row in range(len(closes)):
        if count == 0:
            close, count = closes[row], 1
            continue
        # Over a gap of k bars a move is as large as sqrt(k) of them.
        root = sqrt(gaps[row] + 1.0) if gaps[row] > 0 else 1.0
        upper, lower = max(close, closes[row]), min(close, closes[row])
        # Nearly all bars are within a factor of `LEAST` of the neighbouring closes, and are finished here.
        near = highs[row] < LEAST * lower and lows[row] * LEAST > upper
        if count >= MIN_SEEN and (held > 0 or not near):
            usual = moment / weight * root if weight > 0 else 0.0
            move = log(closes[row] / close)
            limit = max(USUAL * usual, log(LEAST))
            top, bottom = log(highs[row] / upper), log(lows[row] / lower)
            far = 0.0
            if abs(move) > limit:
                held = held + 1 if held > 0 and abs(log(closes[row] / level)) <= limit else 1
                level = closes[row]
                if held < HELD:
                    codes[row], far = CLOSE, move
                else:
                    close, held = level, 0
            else:
                # The first bar back at the old level may open at the wrong price.
                if held == 0 and top > limit:
                    codes[row], far = HIGH, top
                elif held == 0 and -bottom > limit:
                    codes[row], far = LOW, bottom
                held = 0
            if far != 0:
                times[row] = exp(far)
                moves[row] = abs(far) / usual if usual > 0 else np.inf
            if abs(move) > limit:
                continue
        moment = decay * moment + (1 - decay) * abs(closes[row] / close - 1.0) / root
        weight = decay * weight + (1 - decay)
        close, count = closes[row], count + 1
    return (codes, times, moves), (close, moment, weight, count, level, held)

"""The scale that every model shares: an EWMA of squared one-bar log returns, causal, one number a bar.

It is robust to wrong prices. A wild return, which is out of proportion to the scale before it, counts as one of `WILD`
times the scale at first. If the price is back within a few bars, the fold continues from before the wild return; if
not, the return counts in full, unless it is larger than real moves.
"""

from math import log, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from features.compiled import compiled, compiled_and_kept
from features.frame import FeatureFrame, Floats, Ints
from models.json_type import JSON
from topics.units import interval_ms

Turns = npt.NDArray[np.int8]

HALF_LIFE = 240
"""Half-life in bars (facts: a half-life of 240 minutes on 1-minute bars)."""
MIN_RETURNS = 30
"""The number of returns from which on the scale is known."""
FLOOR = 1e-6
"""The least scale, in log return a bar: a constant price must not give a scale of zero."""
WILD = 20.0
"""A return beyond this many times the scale is wild: of the minutes of clean data about one in 100,000."""
TAME = 1e-3
"""No smaller log return is wild, however calm the market was."""
MIN_TAME = 10
"""The number of returns from which on one can be wild."""
BACK = 5
"""The number of bars within which a wild return is undone if the price is back. After them it counts."""
NEAR = 0.25
"""A price is back where its return since before the wild one is at most this part of what would be wild."""
FARTHEST = log(2.0)
"""A larger log return that stays is not a market move, but other units or an error: it never counts in full."""
RULE = [HALF_LIFE, WILD, TAME, BACK, NEAR, FARTHEST]
"""The scale's parameters: a part of each model's definition."""
STATE = ("time", "close", "moment", "weight", "count", "before", "home")

FIRST, AWAY, HOME, STAYS = 1, 2, 4, 8
"""Flags of a bar: a symbol's first, which has no return; a wild return after which the price is in doubt; the price is
back; or it is in doubt no more, and stays.
"""
TIME, CLOSE, MOMENT, WEIGHT, LEFT, REST = 0, 1, 2, 3, 4, 5
"""What `before` holds of the bar before a wild return, in how many more bars the price can come back, and what the
moment lacks as long as it can.
"""


_NEVER_WILD: JSON = {"before": [0.0] * (REST + 1), "home": -1}


class Walk(NamedTuple):
    """The fold's results for n bars: each [n].

    `sigma` is the scale of one bar's log return as known at the close, NaN before `MIN_RETURNS`. `returns` are those of
    one bar, as they count at first: over a gap of k bars the k-th part of the variance, at most `WILD` scales, and 0 at
    a symbol's first bar; `rest` is what their squares lack of counting in full. `turns` are flags; where the price is
    back or stays, `since` is the time before the wild return (epoch ms; 0 else). `home` is when a price came back last,
    -1 for never.
    """

    sigma: Floats
    returns: Floats
    rest: Floats
    turns: Turns
    since: Ints
    home: Ints


def initial() -> JSON:
    """Return the initial state of a symbol."""
    return {"time": -1, "close": 1.0, "moment": 0.0, "weight": 0.0, "count": 0, **_NEVER_WILD}


def step(state: JSON, frame: FeatureFrame) -> tuple[JSON, Floats]:
    """Return the scale of one bar's log return as known at each row's close [n], NaN before `MIN_RETURNS`."""
    state, results = walk(state, frame)
    return state, results.sigma


def walk(state: JSON, frame: FeatureFrame) -> tuple[JSON, Walk]:
    """Return the scale, and the returns as they count in it."""
    state = _NEVER_WILD | state  # a state of a version without wild returns has none
    before = np.array(state["before"])
    results, (time, close, moment, weight, count, home) = _fold(
        frame.time,
        frame.close,
        interval_ms(frame.interval),
        state["time"],
        state["close"],
        state["moment"],
        state["weight"],
        state["count"],
        before,
        state["home"],
    )
    new = {"time": time, "close": close, "moment": moment, "weight": weight, "count": count}
    return new | {"before": before.tolist(), "home": home}, Walk(*results)


@compiled_and_kept
def _fold(
    times: Ints,
    closes: Floats,
    bar: int,
    time: int,
    close: float,
    moment: float,
    weight: float,
    count: int,
    before: Floats,
    home: int,
) -> tuple[tuple[Floats, Floats, Floats, Turns, Ints, Ints], tuple[int, float, float, float, int, int]]:
    decay = 0.5 ** (1 / HALF_LIFE)
    sigma = np.full(len(times), np.nan)
    returns, rest = np.zeros(len(times)), np.zeros(len(times))
    turns = np.zeros(len(times), dtype=np.int8)
    since = np.zeros(len(times), dtype=np.int64)
    homes = np.empty(len(times), dtype=np.int64)
    for row in range(len(times)):
        if time < 0:
            turns[row] = FIRST
        else:
            # A return over a gap of k bars has k times the variance of one bar, and still is one observation.
            change = log(closes[row] / close) / sqrt((times[row] - time) / bar)
            if before[LEFT] > 0:
                before[LEFT] -= 1
                whole = log(closes[row] / before[CLOSE]) / sqrt((times[row] - before[TIME]) / bar)
                if abs(whole) <= NEAR * _most(before[MOMENT], before[WEIGHT]):
                    turns[row], home, change = HOME, times[row], whole
                    moment, weight, before[LEFT] = before[MOMENT], before[WEIGHT], 0.0
                elif before[LEFT] == 0:
                    turns[row] = STAYS
                    moment += before[REST]
                if before[LEFT] == 0:
                    since[row], before[REST] = int(before[TIME]), 0.0
            if turns[row] != HOME and count >= MIN_TAME:
                most = _most(moment, weight)
                if abs(change) > most:
                    if before[LEFT] == 0:
                        turns[row] |= AWAY
                        before[TIME], before[CLOSE], before[MOMENT], before[WEIGHT] = time, close, moment, weight
                        before[LEFT] = BACK
                    if abs(change) <= FARTHEST:
                        rest[row] = change**2 - most**2
                    change = most if change > 0 else -most
            returns[row] = change
            before[REST] = decay * before[REST] + (1 - decay) * rest[row]
            moment = decay * moment + (1 - decay) * change**2
            weight = decay * weight + (1 - decay)
            count += 1
        time, close, homes[row] = times[row], closes[row], home
        if count >= MIN_RETURNS:
            sigma[row] = max(sqrt(moment / weight), FLOOR)
    return (sigma, returns, rest, turns, since, homes), (time, close, moment, weight, count, home)


@compiled
def _most(moment: float, weight: float) -> float:
    """Return the largest log return of one bar that is not wild."""
    return max(WILD * sqrt(moment / weight), TAME)

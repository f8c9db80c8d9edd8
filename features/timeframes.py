"""Longer bars of the same stream: base bars are aggregated into 5m, 15m, ... bars, whose features are held constant in
between.

A longer bar is known at the close of the base bar that ends its span, or, if that one did not trade, at the next.
"""

from itertools import pairwise

import numpy as np

from features import fold
from features.advance import advance, long_gaps
from features.compiled import compiled_and_kept
from features.frame import Floats, Ints
from features.series import (
    BUY_TRADES,
    BUY_VOLUME,
    CLOSE,
    HIGH,
    LEAD_RETURN,
    LOW,
    MARKET_RANK,
    MARKET_RETURN,
    RAW,
    TRADES,
    VOLUME,
)
from topics.units import interval_ms, is_time

TIME = RAW
BARS = RAW + 1
OPEN_BAR = RAW + 2
"""Size of a bar that is still open: its raw series, its start (ms), and the base bars in it, 0 if none is open."""
HELD = OPEN_BAR + fold.COLUMNS
SIZE = HELD + fold.SIZE
"""The state of one timeframe: the open bar, the values held, and the state of its own fold."""


def fresh() -> Floats:
    """Return the initial state [SIZE] of a symbol."""
    return np.concatenate((np.zeros(OPEN_BAR), np.full(fold.COLUMNS, np.nan), fold.fresh()))


def length(timeframe: str, interval: str) -> float:
    """Return the timeframe's length in ms, NaN if the bars are not cut by time.

    Raises ValueError if it is no multiple of the bars' interval.
    """
    if not is_time(interval):
        return np.nan
    longer, base = interval_ms(timeframe), interval_ms(interval)
    if longer <= base or longer % base:
        raise ValueError(f"timeframe {timeframe} is no multiple of the bars' {interval}")
    return float(longer)


def step(
    state: Floats, last_time: int, rows: Floats, interval: float, longer: float, fitted: Floats, out: Floats
) -> Floats:
    """Fill out [F, n] with the features of the longer bars that are known at each row [RAW + 1, n]; return the new
    state.

    `last_time` is that of the row before. After a long gap between rows nothing is known until a longer bar has closed.
    """
    if np.isnan(longer):
        out[:] = np.nan
        return state
    opened, held, buffer = state[:OPEN_BAR].copy(), state[OPEN_BAR:HELD].copy(), state[HELD:]
    anew = long_gaps(rows[TIME], last_time, interval)
    for first, end in pairwise(sorted({0, *anew, rows.shape[1]})):
        if first in anew:
            if opened[BARS] > 0:
                buffer = advance(buffer, opened[: RAW + 1, None], longer, fitted, np.empty((fold.COLUMNS, 1)))
            opened[BARS], held[:] = 0.0, np.nan
        part = rows[:, first:end]
        closed, at = gather(opened, part, interval, longer)
        values = np.empty((fold.COLUMNS, len(at)))
        if len(at):
            buffer = advance(buffer, closed, longer, fitted, values)
        hold(held, values, at, out[:, first:end])
    return np.concatenate((opened, held, buffer))


@compiled_and_kept
def gather(opened: Floats, rows: Floats, interval: float, size: float) -> tuple[Floats, Ints]:
    """Return the longer bars that close among the rows [RAW + 1, n]: [RAW + 1, m], and the row [m] that closes each.

    `opened` [OPEN_BAR] is changed in place. Volumes, trades and the returns of the market and its leader add up,
    unknown if one of them is; the market's rank is the mean.
    """
    n = rows.shape[1]
    closed, at, m = np.empty((RAW + 1, n + 1)), np.empty(n + 1, dtype=np.int64), 0
    for i in range(n):
        start = rows[TIME, i] - rows[TIME, i] % size
        if opened[BARS] > 0 and opened[TIME] != start:
            for s in range(RAW + 1):
                closed[s, m] = opened[s]
            at[m], m, opened[BARS] = i, m + 1, 0.0
        if opened[BARS] == 0:
            for s in range(RAW):
                opened[s] = rows[s, i]
            opened[TIME] = start
        else:
            opened[HIGH] = max(opened[HIGH], rows[HIGH, i])
            opened[LOW] = min(opened[LOW], rows[LOW, i])
            opened[CLOSE] = rows[CLOSE, i]
            for s in (VOLUME, TRADES, BUY_VOLUME, BUY_TRADES, MARKET_RETURN, LEAD_RETURN):
                opened[s] += rows[s, i]
            opened[MARKET_RANK] += (rows[MARKET_RANK, i] - opened[MARKET_RANK]) / (opened[BARS] + 1.0)
        opened[BARS] += 1.0
        if rows[TIME, i] + interval >= start + size:
            for s in range(RAW + 1):
                closed[s, m] = opened[s]
            at[m], m, opened[BARS] = i, m + 1, 0.0
    return closed[:, :m].copy(), at[:m].copy()


@compiled_and_kept
def hold(held: Floats, values: Floats, at: Ints, out: Floats) -> None:
    """Fill out [F, n] with the newest values [F, m] known at each row; `held` [F] is the last known before, and is
    updated.

    `at` [m] is the row from which on each is known.
    """
    n = out.shape[1]
    for column in range(out.shape[0]):
        last, k = held[column], 0
        for row in range(n):
            while k < len(at) and at[k] <= row:
                last, k = values[column, k], k + 1
            out[column, row] = last
        held[column] = last

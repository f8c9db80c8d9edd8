"""Markets to tune on, in days of minutes: each return carries a part of the last one's, which a model can learn."""

import numpy as np

from features.frame import BarFrame
from learning.tuning.objective import Plan

MINUTE = 60_000
DAY = 1_440 * MINUTE
START = 19_700 * DAY
DAYS = 10
PLAN = Plan(folds=2, held_out=0.2, thin=2)
FEW = ("rsi_14",)
"""Features of a model that needs none."""


def market(symbol: str, seed: int, days: int = DAYS) -> BarFrame:
    """Return so many days from a midnight on."""
    rng = np.random.default_rng(seed)
    noise, returns = rng.standard_normal(days * 1_440), np.empty(days * 1_440)
    last = 0.0
    for row in range(len(noise)):
        last = -0.25 * last + noise[row]
        returns[row] = 1e-3 * last
    close = 100.0 * np.exp(np.cumsum(returns))
    opening = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opening, close) * 1.0001, np.minimum(opening, close) * 0.9999
    time = START + MINUTE * np.arange(len(close), dtype=np.int64)
    volume = 1.0 + np.abs(np.sin(np.arange(len(close))))
    return BarFrame.build(symbol, "1m", time, open=opening, high=high, low=low, close=close, volume=volume)


def markets() -> list[BarFrame]:
    """Return two of them."""
    return [market("COIN1", 1), market("COIN2", 2)]


def poisoned(bars: list[BarFrame], begin: int) -> list[BarFrame]:
    """Return the bars with other prices from a time on (epoch ms)."""
    bar_frames = []
    for frame in bars:
        rows = frame.time >= begin
        jumps = np.ones(len(frame))
        jumps[rows] = np.exp(np.random.default_rng(5).normal(0, 0.05, int(rows.sum())))
        prices = {name: getattr(frame, name) * jumps for name in ("open", "high", "low", "close")}
        bar_frames.append(frame.with_columns(**prices))
    return bar_frames

"""Synthetic markets whose truth is known, as the frames that the features' own fold makes of them."""

import numpy as np

from features.definition import DEFAULT
from features.frame import BarFrame, FeatureFrame
from features.step import FeatureStep

MINUTE = 60_000
START = 1_700_000_040_000 // MINUTE * MINUTE
NAMES = DEFAULT.names


def bars_of(symbol: str, time: np.ndarray, close: np.ndarray) -> BarFrame:
    """Return bars with these closes, each opening at the last one's."""
    opening = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opening, close) * 1.0001, np.minimum(opening, close) * 0.9999
    gap = np.concatenate([[0], np.diff(time) // MINUTE - 1])
    volume = 1.0 + np.abs(np.sin(np.arange(len(time))))
    return BarFrame.build(symbol, "1m", time, gap, open=opening, high=high, low=low, close=close, volume=volume)


def market(symbol: str, rows: int, seed: int, rho: float = 0.0, gaps: float = 0.0) -> BarFrame:
    """Return a walk of changing volatility; each return carries `rho` of the last; `gaps` is the share left out."""
    rng = np.random.default_rng(seed)
    volatility = 1e-3 * np.exp(0.5 * np.sin(np.arange(rows) / 300.0))
    noise = rng.standard_normal(rows)
    returns = np.empty(rows)
    last = 0.0
    for row in range(rows):
        last = rho * last + noise[row]
        returns[row] = last * volatility[row]
    time = START + MINUTE * np.arange(rows, dtype=np.int64)
    kept = np.sort(rng.permutation(rows)[: rows - int(gaps * rows)])
    return bars_of(symbol, time[kept], 100.0 * np.exp(np.cumsum(returns))[kept])


def garch(symbol: str, rows: int, seed: int) -> BarFrame:
    """Return a market whose volatility clusters, GARCH(1,1) with alpha .1 and beta .88, and whose drift is none."""
    noise = np.random.default_rng(seed).standard_normal(rows)
    returns, variance = np.empty(rows), 1e-6
    for row in range(rows):
        returns[row] = np.sqrt(variance) * noise[row]
        variance = 2e-8 + 0.1 * returns[row] ** 2 + 0.88 * variance
    time = START + MINUTE * np.arange(rows, dtype=np.int64)
    return bars_of(symbol, time, 100.0 * np.exp(np.cumsum(returns)))


def features_of(bars: BarFrame) -> FeatureFrame:
    """Return the features of all bars, from the beginning."""
    step = FeatureStep()
    return step.step(step.initial(), bars)[1]

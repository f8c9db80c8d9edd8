"""Bars to test with: a made-up walk, and real minutes where the data folder is present."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.frame import BAR_COLUMNS, BarFrame

MINUTE = 60_000
SHARED = Path(os.environ.get("FORETICK_SHARED", Path(__file__).parents[3] / "shared"))


def frame_of(bars: pd.DataFrame, interval: str = "1m") -> BarFrame:
    columns = {name: bars[name].to_numpy(dtype=np.float64) for name in BAR_COLUMNS if name in bars}
    return BarFrame.build("BTCUSD", interval, bars["time"].to_numpy(dtype=np.int64), **columns)


def walk(rows: int, seed: int) -> pd.DataFrame:
    """A random walk without gaps in which every bar moved and traded."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 1e-3, rows)))
    opening = close * np.exp(random.normal(0, 5e-4, rows))
    high = np.maximum(opening, close) * np.exp(random.exponential(3e-4, rows))
    low = np.minimum(opening, close) * np.exp(-random.exponential(3e-4, rows))
    return pd.DataFrame(
        {
            "time": 1_600_000_020_000 + MINUTE * np.arange(rows),
            "open": opening,
            "high": high,
            "low": low,
            "close": close,
            "volume": random.lognormal(0, 1, rows),
        }
    ).pipe(lambda bars: bars.assign(**beside(bars, seed)))


def beside(bars: pd.DataFrame, seed: int) -> dict[str, Any]:
    """What some sources tell of a bar besides: trades, what takers bought, and how the market went. Made up."""
    random = np.random.default_rng(seed + 1_000)
    rows = len(bars)
    trades = random.integers(5, 500, rows).astype(float)
    returns = np.log(bars["close"]).diff().fillna(0.0)
    return {
        "trades": trades,
        "buy_volume": bars["volume"] * random.uniform(0.2, 0.8, rows),
        "buy_trades": np.floor(trades * random.uniform(0.2, 0.8, rows)),
        "market_return": 0.7 * returns + random.normal(0, 5e-4, rows),
        "market_rank": random.integers(0, 5, rows) / 4,
        "lead_return": 0.5 * returns + random.normal(0, 5e-4, rows),
    }


def spoilt(bars: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same with all that a thin market does: gaps short and long, flat stretches, volume of 0 or unknown."""
    random = np.random.default_rng(seed)
    bars = bars.copy()
    gaps = random.choice([0, 1, 5, 60, 61, 500], len(bars), p=[0.9, 0.05, 0.03, 0.008, 0.006, 0.006])
    bars["time"] += MINUTE * np.cumsum(gaps)
    flat = (random.random(len(bars)) < 0.01).astype(float)
    flat = pd.Series(flat).rolling(30, min_periods=1).max().to_numpy() > 0
    price = bars["close"].where(~flat).ffill().fillna(100.0)
    for name in ("open", "high", "low", "close"):
        bars.loc[flat, name] = price[flat]
    bars["volume"] = bars["volume"].mask(random.random(len(bars)) < 0.02, 0.0).mask(random.random(len(bars)) < 0.005)
    return bars


def real(*parts: str) -> Path:
    """A file or folder of the real data. Skips where it is absent."""
    path = SHARED.joinpath("data", *parts)
    if not path.exists():
        pytest.skip(f"no {path} (FORETICK_SHARED names another place for the shared folder)")
    return path

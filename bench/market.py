"""Real minutes to measure with: the panel of the shared folder, else the bundled sample, repeated in time."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from features.frame import BAR_COLUMNS, BarFrame
from settings import ROOT
from topics.records import Bar

PANEL = (
    Path(os.environ.get("FORETICK_SHARED", ROOT.parent / "shared")) / "data" / "panel_bitfinex_1m" / "btcusd.parquet"
)
SAMPLE = ROOT / "sample" / "BTCUSDT-1m.csv.gz"
MINUTE = 60_000
INTERVAL = float(MINUTE)


def minutes(rows: int) -> pd.DataFrame:
    """Return that many bars. What the source does not tell (trades, what buyers took, the market) is made up, so that
    every feature has work to do.
    """
    once = pd.read_parquet(PANEL) if PANEL.exists() else pd.read_csv(SAMPLE)
    span = int(once["time"].iloc[-1] - once["time"].iloc[0]) + MINUTE
    parts = [once.assign(time=once["time"] + turn * span) for turn in range(-(-rows // len(once)))]
    bars = pd.concat(parts, ignore_index=True).head(rows)
    random = np.random.default_rng(0)
    trades = random.integers(5, 500, rows).astype(float)
    return bars.assign(
        trades=trades,
        buy_volume=bars["volume"] * random.uniform(0.2, 0.8, rows),
        buy_trades=np.floor(trades * random.uniform(0.2, 0.8, rows)),
        market_return=random.normal(0, 1e-3, rows),
        market_rank=random.integers(0, 5, rows) / 4,
        lead_return=random.normal(0, 1e-3, rows),
    )


def frame(bars: pd.DataFrame) -> BarFrame:
    """Return the bars as the fold takes them."""
    columns = {name: bars[name].to_numpy(dtype=np.float64) for name in BAR_COLUMNS if name in bars}
    return BarFrame.build("BTCUSD", "1m", bars["time"].to_numpy(dtype=np.int64), **columns)


def records(bars: pd.DataFrame) -> list[Bar]:
    """Return the bars as they come live."""
    names = ["time", *(name for name in BAR_COLUMNS if name in bars)]
    rows = zip(*(bars[name].tolist() for name in names), strict=True)
    return [Bar("BTCUSD", "1m", **dict(zip(names, row, strict=True))) for row in rows]

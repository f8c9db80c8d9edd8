"""What `bench.forecast` gives all contenders: the same bars, cut at the same time, and the same rows to be judged."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bench.market import MINUTE, PANEL
from features.frame import BarFrame, FeatureFrame, Floats
from models import ewma_volatility
from models.labels import targets
from models.trees.boosted import HELD_OUT
from settings import ROOT
from sources.reading.bars import read_bars
from topics.records import HORIZONS

DAY = 24 * 60 * MINUTE
CLIP = 4.0
"""Returns in units of the scale are clipped to +- this before rivals learn them, as ours are."""
WARM_UP = 2 * DAY
"""The first bars of the cut: features, and the scale, are not known yet."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Bars of all symbols over one stretch of time, [`first`, `end`); the bars before `cut` are there to learn from.

    Those from `split` on only to temper what was learnt from those before.
    """

    bars: list[BarFrame]
    first: int
    split: int
    cut: int
    end: int

    def early(self) -> list[BarFrame]:
        """Return the bars that may be learnt from."""
        return [frame[frame.time < self.cut] for frame in self.bars]


def cut(train_days: int, test_days: int, sample: bool) -> Cut:
    """Return the last days of the panel, or of the bundled sample where there is none or it is asked for."""
    paths = sorted(PANEL.parent.glob("*.parquet")) if PANEL.exists() and not sample else sorted(_bundled())
    bars = read_bars(paths, "1m")
    end = min(int(frame.time[-1]) for frame in bars) + MINUTE
    between = end - test_days * DAY
    first = max(between - train_days * DAY - WARM_UP, *(int(frame.time[0]) for frame in bars))
    bars = [frame[(frame.time >= first) & (frame.time < end)] for frame in bars]
    split = between - int(HELD_OUT * (between - first - WARM_UP)) // MINUTE * MINUTE
    return Cut(bars=bars, first=first, split=split, cut=between, end=end)


def _bundled() -> list[Path]:
    return list((ROOT / "sample").glob("*.csv.gz"))


def series(bars: Cut) -> pd.DataFrame:
    """Return for the rivals `unique_id`, `ds` (the number of a minute), `y`: ln(P(t) / P(t-1)) / sigma(t-1), `market`.

    The market's is the mean of y over all symbols. Sigma is the shared scale of one bar as known before the return.
    Without a gap: where no bar came the price stood still, and y is 0.
    """
    parts = []
    minutes = np.arange((bars.first + WARM_UP) // MINUTE, bars.end // MINUTE)
    for frame in bars.bars:
        closes = _closes(frame)
        _, sigma = ewma_volatility.step(ewma_volatility.initial(), closes)
        scaled = np.clip(np.diff(np.log(frame.close)) / sigma[:-1], -CLIP, CLIP)
        place = frame.time[1:] // MINUTE - minutes[0]
        y = np.zeros(len(minutes))
        y[place[place >= 0]] = scaled[place >= 0]
        parts.append(pd.DataFrame({"unique_id": frame.symbol, "ds": minutes, "y": y}))
    result = pd.concat(parts, ignore_index=True)
    return result.assign(market=result.groupby("ds")["y"].transform("mean"))


def answers(bars: Cut) -> pd.DataFrame:
    """Return `unique_id`, `ds` and `true_h`, the returns from each bar after the split in units of sigma sqrt(h)."""
    parts = []
    for frame in bars.bars:
        _, sigma = ewma_volatility.step(ewma_volatility.initial(), _closes(frame))
        y = targets(_closes(frame), sigma, HORIZONS, np.inf)
        rows = frame.time >= bars.split
        named = {f"true_{h}": y[rows, column] for column, h in enumerate(HORIZONS)}
        parts.append(pd.DataFrame({"unique_id": frame.symbol, "ds": frame.time[rows] // MINUTE, **named}))
    return pd.concat(parts, ignore_index=True)


def scales(frame: FeatureFrame) -> Floats:
    """Return sigma sqrt(h) of each row [n, H]."""
    _, sigma = ewma_volatility.step(ewma_volatility.initial(), frame)
    return sigma[:, None] * np.sqrt(HORIZONS)


def _closes(frame: BarFrame) -> FeatureFrame:
    return FeatureFrame(
        symbol=frame.symbol,
        interval=frame.interval,
        fingerprint="",
        time=frame.time,
        close=frame.close,
        values=np.empty((len(frame), 0)),
    )

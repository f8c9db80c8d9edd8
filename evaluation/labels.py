"""The labels, row by row: the same for every model."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.forecaster import Floats

Ints = npt.NDArray[np.int64]
Terciles = npt.NDArray[np.int8]


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Labels of n rows, ordered by symbol and then time, at H horizons (in bars); NaN if unknown.

    `symbol` [n] is a place in `symbols`, `time` [n] the bar's start in epoch ms. `realised` [n, H] is the log return
    over the horizon, and `gapped` the same entered one bar later: ln(P(t+h+1) / P(t+1)). `variance` is the sum of the
    squared one-bar returns in the horizon. `unit` is sigma sqrt(h), the EWMA scale that all models share. `tercile` [n]
    is the symbol's trailing volatility, 0 (calm) to 2 (turbulent), -1 if unknown.
    """

    symbols: tuple[str, ...]
    horizons: tuple[int, ...]
    symbol: Ints
    time: Ints
    realised: Floats
    gapped: Floats
    variance: Floats
    unit: Floats
    tercile: Terciles

    def __post_init__(self) -> None:
        shape = (len(self.time), len(self.horizons))
        for name in ("realised", "gapped", "variance", "unit"):
            result = getattr(self, name).shape
            if result != shape:
                raise ValueError(f"{name} has the shape {result}, not {shape}")
        same = np.diff(self.symbol) == 0
        if (np.diff(self.symbol) < 0).any() or (np.diff(self.time)[same] <= 0).any():
            raise ValueError("the rows are not ordered by symbol and then time")

    def __len__(self) -> int:
        return len(self.time)

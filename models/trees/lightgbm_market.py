"""LightGBM for the market's part of a return and for the residual, added: common moves are learnt from all symbols."""

from typing import ClassVar

import numpy as np

from features.frame import FeatureFrame, Floats
from models.ewma_volatility import Walk
from models.labels import moves, targets
from models.trees.lightgbm_point import LightGBM

BETA, MARKET = "market_beta_240", "market_return_1"
STEEPEST = 3.0
"""A trailing beta is noisy: it is clipped to between 0 and this."""


class LightGBMMarket(LightGBM):
    """r = beta M + residual, each over sigma sqrt(h), with the trailing beta of the forecast's bar.

    M is the sum of `market_return_1` of the bars in the horizon; where the market is unknown, the residual is all.
    """

    name: ClassVar[str] = "lightgbm_market"
    parts: ClassVar[tuple[str, ...]] = ("market", "residual")

    def _targets(self, frame: FeatureFrame, walk: Walk) -> tuple[Floats, ...]:
        whole = targets(frame, walk.sigma, self.horizons, np.inf)
        if BETA not in self.names or MARKET not in self.names:
            return np.full_like(whole, np.nan), np.clip(whole, -self.clip, self.clip)
        beta, market = (frame.values[:, self.names.index(name)] for name in (BETA, MARKET))
        unit = walk.sigma[:, None] * np.sqrt(self.horizons)
        moved = np.clip(beta, 0.0, STEEPEST)[:, None] * moves(frame, market, self.horizons) / unit
        rest = whole - np.nan_to_num(moved)
        return np.clip(moved, -self.clip, self.clip), np.clip(rest, -self.clip, self.clip)

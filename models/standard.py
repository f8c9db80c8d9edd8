"""Forecasts made of a mean or a scale, and the spread of what was left over in the fit."""

import numpy as np

from features.frame import Floats
from models.distribution import odds_up, spread
from models.forecaster import Forecasts


def from_mean(
    standard: Floats, sigma: Floats, horizons: tuple[int, ...], spreads: Floats, p_up: Floats | None = None
) -> Forecasts:
    """Return forecasts of the means `standard` [n, H] in units of sigma sqrt(h), NaN where unknown.

    `sigma` [n] is the volatility of one bar, `spreads` [H, Q] the quantiles of the residuals in the same units. `p_up`
    [n, H] is the normal probability of a rise where none is given.
    """
    # The sign bit of a NaN that was computed is the processor's affair: with these all are the same.
    unknown = np.isnan(standard)
    standard = np.where(unknown, np.nan, standard)
    scale = np.where(unknown, np.nan, sigma[:, None] * np.sqrt(horizons))
    quantiles = scale[:, :, None] * (standard[:, :, None] + spreads)
    odds = np.where(unknown, np.nan, odds_up(standard) if p_up is None else p_up)
    return Forecasts(standard * scale, scale, quantiles, odds)


def from_scale(scale: Floats, spreads: Floats) -> Forecasts:
    """Return forecasts of mean zero with standard deviations `scale` [n, H] and quantiles scale * `spreads` [H, Q]."""
    known = np.where(np.isnan(scale), np.nan, 1.0)
    return Forecasts(0.0 * known, scale, scale[:, :, None] * spreads, 0.5 * known)


def symmetric(standardised: Floats) -> Floats:
    """Return for each horizon the quantiles [H, Q] of the standardised returns [n, H] and of their negatives."""
    return np.array([spread(np.concatenate([column, -column])) for column in standardised.T])


def residual(standardised: Floats, standard: Floats) -> Floats:
    """Return for each horizon the quantiles [H, Q] of the targets [n, H] about the means [n, H]."""
    return np.array([spread(column) for column in (standardised - standard).T])

"""Forecasts from a mean or a scale, and the quantiles of the fit's residuals."""

import numpy as np

from features.frame import Floats
from models.forecaster import Forecasts
from models.intervals.distribution import prob_up, sample_quantiles


def from_mean(
    standard: Floats, sigma: Floats, horizons: tuple[int, ...], residual_quantiles: Floats, p_up: Floats | None = None
) -> Forecasts:
    """Return forecasts of the means `standard` [n, H] in units of sigma sqrt(h), NaN if unknown.

    `sigma` [n] is the volatility of one bar, `residual_quantiles` [H, Q] the quantiles of the residuals in the same
    units. `p_up` [n, H] is the normal probability of a rise where none is given.
    """
    # The sign bit of a computed NaN depends on the processor: this makes all equal.
    unknown = np.isnan(standard)
    standard = np.where(unknown, np.nan, standard)
    scale = np.where(unknown, np.nan, sigma[:, None] * np.sqrt(horizons))
    quantiles = scale[:, :, None] * (standard[:, :, None] + residual_quantiles)
    odds = np.where(unknown, np.nan, prob_up(standard) if p_up is None else p_up)
    return Forecasts(standard * scale, scale, quantiles, odds)


def from_scale(scale: Floats, residual_quantiles: Floats) -> Forecasts:
    """Return forecasts of mean zero with standard deviations `scale` [n, H] and quantiles scale * `residual_quantiles`
    [H, Q].
    """
    known = np.where(np.isnan(scale), np.nan, 1.0)
    return Forecasts(0.0 * known, scale, scale[:, :, None] * residual_quantiles, 0.5 * known)


def symmetric(standardised: Floats) -> Floats:
    """Return for each horizon the quantiles [H, Q] of the standardised returns [n, H] and of their negatives."""
    return np.array([sample_quantiles(np.concatenate([column, -column])) for column in standardised.T])


def residual(standardised: Floats, standard: Floats) -> Floats:
    """Return for each horizon the quantiles [H, Q] of the targets [n, H] about the means [n, H]."""
    return np.array([sample_quantiles(column) for column in (standardised - standard).T])

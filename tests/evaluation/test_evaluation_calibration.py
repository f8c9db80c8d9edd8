"""Calibration against scipy and scikit-learn, and against forecasts whose calibration is known."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm
from sklearn.calibration import calibration_curve

from evaluation.calibration import pit_histogram, reliability, wilson
from topics.records import QUANTILES

RNG = np.random.default_rng(3)
ROWS = 8_000
SCALE = np.exp(RNG.normal(-7.0, 0.4, ROWS))
REALISED = SCALE * RNG.normal(size=ROWS)
QUANTS = SCALE[:, None] * norm.ppf(QUANTILES)


def test_the_pit_histogram_is_numpys_of_the_exact_pit():
    pit = norm.cdf(REALISED / SCALE)
    edges = np.array([0.0, *QUANTILES, 1.0])
    counted, _ = np.histogram(pit, edges)
    density, _ = np.histogram(pit, edges, density=True)
    bins = pit_histogram(QUANTS, REALISED, 1)
    assert [one.share for one in bins] == pytest.approx(counted / ROWS)
    assert [one.density for one in bins] == pytest.approx(density)


def test_calibrated_forecasts_stay_within_the_limits_and_narrow_ones_do_not():
    assert all(one.low <= one.density <= one.high for one in pit_histogram(QUANTS, REALISED, 1))
    narrow = pit_histogram(0.6 * QUANTS, REALISED, 1)
    assert narrow[0].density > narrow[0].high
    assert narrow[-1].density > narrow[-1].high
    assert narrow[3].density < narrow[3].low


def test_the_limits_are_those_of_a_binomial_share_and_wider_for_labels_that_overlap():
    first, overlapping = (pit_histogram(QUANTS, REALISED, horizon)[3] for horizon in (1, 15))
    error = norm.ppf(0.975) * np.sqrt(0.25 * 0.75 / ROWS) / 0.25
    assert (first.low, first.high) == pytest.approx((1 - error, 1 + error))
    assert overlapping.high - 1 == pytest.approx((first.high - 1) * np.sqrt(15))


def test_rows_without_a_forecast_or_a_label_are_as_if_they_were_not_there():
    quantiles, realised = QUANTS.copy(), REALISED.copy()
    quantiles[::3, 2], realised[1::7] = np.nan, np.nan
    known = ~np.isnan(quantiles).any(axis=1) & ~np.isnan(realised)
    assert pit_histogram(quantiles, realised, 5) == pit_histogram(quantiles[known], realised[known], 5)
    assert pit_histogram(QUANTS[:0], REALISED[:0], 1) == []


def test_wilsons_interval_is_scipys():
    for successes, trials in ((1, 20), (180, 300), (0, 50)):
        theirs = binomtest(successes, trials).proportion_ci(method="wilson")
        assert wilson(successes / trials, trials) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_reliability_is_scikit_learns_curve_with_its_interval():
    p_up = RNG.uniform(0.3, 0.7, ROWS)
    up = (RNG.random(ROWS) < p_up).astype(float)
    points = reliability(p_up, np.where(up, 1.0, -1.0), 1)
    rose, mean = calibration_curve(up, p_up, n_bins=10, strategy="quantile")
    assert [one.p_up for one in points] == pytest.approx(mean.tolist())
    assert [one.rose for one in points] == pytest.approx(rose.tolist())
    assert all(one.low <= one.rose <= one.high for one in points)
    assert sum(one.low <= one.p_up <= one.high for one in points) >= 8

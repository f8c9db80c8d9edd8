"""The rolling IC is scipy's correlation of each window's rows."""

import numpy as np
import pytest
from scipy.stats import norm, pearsonr

from evaluation.rolling import rolling_ic

HOUR = 3_600_000
RNG = np.random.default_rng(8)
ROWS = 4_000
TIME = 1_700_000_000_000 + 60_000 * np.arange(ROWS)
UNIT = np.exp(RNG.normal(-7, 0.3, ROWS))
REALISED = UNIT * RNG.normal(size=ROWS)
MEAN = 0.2 * REALISED + UNIT * RNG.normal(size=ROWS)


def test_each_window_is_the_correlation_of_its_own_rows():
    made = rolling_ic(TIME, MEAN, REALISED, UNIT, step=HOUR, steps=24, horizon=15)
    clipped = np.clip(REALISED / UNIT, -4, 4)
    assert len(made.time) == len(np.unique(TIME // HOUR))
    for at in (23, 40, len(made.time) - 1):
        rows = np.abs(TIME - (made.time[at] - 12 * HOUR) + 0.5) < 12 * HOUR
        assert made.rows[at] == rows.sum()
        assert made.ic[at] == pytest.approx(pearsonr((MEAN / UNIT)[rows], clipped[rows]).statistic, rel=1e-9)
        assert made.noise[at] == pytest.approx(norm.ppf(0.975) / np.sqrt(rows.sum() / 15))


def test_the_noise_holds_the_ic_of_forecasts_without_skill_as_often_as_it_says():
    inside = []
    for seed in range(200):
        mean = np.random.default_rng(seed).normal(size=600)
        made = rolling_ic(TIME[:600], mean, REALISED[:600], UNIT[:600], step=HOUR, steps=12, horizon=1)
        inside.append(abs(made.ic[-1]) <= made.noise[-1])
    assert 0.9 < np.mean(inside) < 0.99


def test_few_rows_constant_forecasts_and_none_are_unknown():
    short = rolling_ic(TIME[:50], MEAN[:50], REALISED[:50], UNIT[:50], step=HOUR, steps=24, horizon=1)
    assert np.isnan(short.ic).all()
    assert np.isnan(rolling_ic(TIME, 0 * MEAN, REALISED, UNIT, step=HOUR, steps=24, horizon=1).ic).all()
    assert len(rolling_ic(TIME[:0], MEAN[:0], REALISED[:0], UNIT[:0], step=HOUR, steps=24, horizon=1).time) == 0

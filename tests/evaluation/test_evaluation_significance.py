"""The tests find what is there as often as they say, and no more."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp
from statsmodels.regression.linear_model import OLS

from evaluation import bootstrap
from evaluation.point import METRICS, parts
from evaluation.significance import LAGS, compare, confidence_set, diebold_mariano, holm, superiority
from evaluation.sum_metrics import ratio

RNG = np.random.default_rng(21)


def test_without_lags_the_statistic_is_that_of_a_t_test():
    daily = RNG.normal(0.2, 1.0, 60)
    expected = ttest_1samp(daily, 0.0)
    assert diebold_mariano(daily, lags=0) == pytest.approx((expected.statistic, expected.pvalue))


def test_with_lags_the_statistic_is_that_of_newey_and_west():
    daily = np.convolve(RNG.normal(0.1, 1.0, 93), [1.0, 0.6, 0.3], "valid")
    oracle = OLS(daily, np.ones(len(daily))).fit(cov_type="HAC", cov_kwds={"maxlags": LAGS, "use_correction": True})
    assert diebold_mariano(daily)[0] == pytest.approx(float(oracle.tvalues[0]))


def test_few_days_and_equal_losses_are_unknown():
    assert np.isnan(diebold_mariano(RNG.normal(size=9))).all()
    assert np.isnan(diebold_mariano(np.zeros(50))).all()


def test_two_models_of_chance_differ_as_often_as_the_size_says():
    """Labels overlap by an hour; two forecasters of nothing are compared on the same rows."""
    days, a_day, horizon, runs = 90, 96, 4, 600
    rejected = 0
    for _ in range(runs):
        returns = RNG.normal(size=days * a_day + horizon)
        total = np.cumsum(np.concatenate([[0.0], returns]))
        realised = (total[horizon:] - total[:-horizon])[: days * a_day] / np.sqrt(horizon)
        # Slow signals: their errors are correlated through the overlap of the labels, as those of real ones are.
        first, second = (np.repeat(RNG.normal(size=days * a_day // 8), 8) * 0.2 for _ in range(2))
        difference = (realised - first) ** 2 - (realised - second) ** 2
        rejected += diebold_mariano(difference.reshape(days, a_day).sum(axis=1))[1] < 0.05
    assert 0.02 < rejected / runs < 0.09


def test_holm_equals_the_hand_calculation():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == pytest.approx([1.0, 1.0])
    assert holm([0.02, float("nan"), 0.03]) == pytest.approx([0.04, float("nan"), 0.04], nan_ok=True)


def test_the_family_of_a_reference_is_all_models_and_horizons():
    daily = RNG.normal(size=(3, 2, 60))
    daily[0] = 0.0
    daily[1] -= 0.7
    comparisons = compare("squared", daily, ["naive", "good", "noise"], [1, 5])
    own = [test for test in comparisons if test.reference == "naive"]
    assert [(test.model, test.horizon) for test in own] == [("good", 1), ("good", 5), ("noise", 1), ("noise", 5)]
    assert [test.holm for test in own] == pytest.approx(holm([test.p for test in own]))
    assert all(test.holm < 0.05 and test.difference < 0 for test in own[:2])
    back = next(
        test for test in comparisons if test.model == "naive" and test.reference == "good" and test.horizon == 1
    )
    assert (back.statistic, back.p) == pytest.approx((-own[0].statistic, own[0].p))


def test_the_confidence_set_keeps_the_best_and_drops_the_worst():
    common = RNG.normal(size=80)
    daily = np.stack([common + RNG.normal(level, 0.5, 80) for level in (0.0, 0.02, 1.0)])
    memberships = confidence_set("squared", 1, daily, ["best", "near", "bad"], seed=1)
    assert [member.inside for member in memberships] == [True, True, False]
    assert memberships == confidence_set("squared", 1, daily, ["best", "near", "bad"], seed=1)


def test_the_confidence_set_holds_those_whose_p_is_above_a_tenth():
    levels = np.linspace(0.0, 0.5, 12)
    daily = np.random.default_rng(5).normal(levels[:, None], 1.0, (12, 80))
    memberships = confidence_set("squared", 1, daily, [str(level) for level in levels], seed=1)
    assert any(0 < member.p <= 0.1 for member in memberships)
    assert all(member.inside == (member.p > 0.1) for member in memberships)


def test_models_with_equal_losses_share_their_place_in_the_confidence_set():
    zero = np.zeros(80)
    memberships = confidence_set(
        "squared", 1, np.stack([zero, RNG.normal(-1, 0.5, 80), zero]), ["naive", "good", "har"], 1
    )
    assert [member.inside for member in memberships] == [False, True, False]
    assert memberships[0].p == memberships[2].p
    alone = confidence_set("squared", 1, np.stack([zero, zero]), ["naive", "har"], 1)
    assert all(member.inside for member in alone)


def test_superiority_is_found_where_it_is_and_not_by_trying_often():
    zero = np.zeros((1, 80))
    names = ["naive", *(f"model {place}" for place in range(20))]
    nothing = np.concatenate([zero, RNG.normal(0.0, 1.0, (20, 80))])
    assert superiority("squared", 1, nothing, names, "naive", 1).p > 0.05
    nothing[7] -= 0.6
    assert superiority("squared", 1, nothing, names, "naive", 1).p < 0.01
    assert np.isnan(superiority("squared", 1, np.zeros((3, 80)), names[:3], "naive", 1).p)


def test_intervals_are_as_wide_as_theory_says_and_the_detectable_effect_is_2_8_standard_errors():
    days, rows = 400, 50
    y = RNG.normal(size=days * rows)
    x = RNG.normal(size=days * rows)
    ones = np.ones(days * rows)
    summed = {
        name: np.nansum(part.reshape(days, rows), axis=1)
        for name, part in parts(x, y, ones, np.full(days * rows, np.nan)).items()
    }
    drawn = bootstrap.draws(days, seed=3)
    assert (drawn.sum(axis=1) == days).all()
    low, high, detectable = bootstrap.interval(METRICS["ic"], bootstrap.resample(summed, drawn))
    error = 1 / np.sqrt(days * rows)
    assert low < 0.0 < high
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.2)
    assert detectable == pytest.approx(2.80 * error, rel=0.2)


def test_an_interval_is_unknown_where_a_draw_has_no_value():
    drawn = bootstrap.draws(20, seed=3)
    few = {"x": np.ones(20), "n": np.ones(20)}
    results = bootstrap.interval(lambda sums: ratio(sums["x"], sums["n"], sums["n"]), bootstrap.resample(few, drawn))
    assert np.isnan(results).all()

"""The confidence sequence holds at all bars at once as often as it says, and its boundary is close to the exact one."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import logsumexp
from scipy.stats import norm

from models.scoring import confidence_sequence
from models.scoring.confidence_sequence import SLOPES, boundary, initial, step


def test_the_boundary_is_just_above_that_of_the_mixture_solved_numerically() -> None:
    for variance in (0.1, 5.0, 300.0, 1e5):
        for level in (0.05, 0.001):

            def excess(total: float, variance: float = variance, level: float = level) -> float:
                wealth = SLOPES * total - variance * (-np.log(1 - 2 * SLOPES) - 2 * SLOPES) / 4
                return float(logsumexp(wealth) - np.log(len(SLOPES) / level))

            solved = brentq(excess, 0.0, 1e6)
            assert solved <= boundary(variance, level) <= 1.25 * solved


def test_looking_at_every_bar_costs_about_twice_the_width_of_looking_once() -> None:
    # Beside the quantile of a normal sum of that variance, which holds at one bar only.
    for variance in (100.0, 1e3, 1e4):
        assert 1.5 < boundary(variance, 0.01) / (norm.ppf(0.99) * np.sqrt(variance)) < 2.5


@pytest.mark.parametrize("places", [1, 5])
def test_the_interval_contains_the_expected_sum_at_every_bar(places: int):
    alpha, misses = 0.1, 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        expected = 0.2 * np.sin(np.arange(1_500) / 90)  # it changes, and the sequence need not know how
        gain = np.where(rng.random(1_500) < (1 + expected) / 2, 1.0, -1.0)
        _, (_, low, high) = step(initial(places), np.arange(1_500) % places, gain, alpha)
        sums = np.cumsum(expected)
        misses += bool(((sums < low) | (sums > high)).any())
    assert misses / 200 <= alpha


def test_a_steady_gain_is_found():
    gain = np.random.default_rng(1).normal(0.05, 0.1, 5_000)
    _, (total, low, _) = step(initial(1), np.zeros(5_000, dtype=np.int64), gain, 0.05)
    np.testing.assert_allclose(total, np.cumsum(gain))
    assert low[50] < 0 < low[-1]


def test_the_sequence_does_not_depend_on_how_the_bars_were_cut_nor_on_unknown_gains():
    rng = np.random.default_rng(4)
    gain, place = rng.uniform(-0.3, 0.3, 1_000), np.arange(1_000) % 15
    gain[::7] = np.nan
    whole, bounds = step(initial(15), place, gain, 0.05)
    first, before = step(initial(15), place[:333], gain[:333], 0.05)
    second, after = step(first, place[333:], gain[333:], 0.05)
    np.testing.assert_allclose(second, whole)
    np.testing.assert_allclose(np.concatenate([before, after], axis=1), bounds)
    known = ~np.isnan(gain)
    np.testing.assert_allclose(step(initial(15), place[known], gain[known], 0.05)[0], whole)


def test_the_variance_is_of_surprises_against_the_mean_before():
    state, _ = step(initial(1), np.zeros(3, dtype=np.int64), np.array([0.5, 0.1, 0.9]), 0.05)
    assert state[confidence_sequence.VARIANCE, 0] == pytest.approx(0.5**2 + 0.4**2 + 0.6**2)

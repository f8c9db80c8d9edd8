"""Errors by group are plain sums over the group's rows."""

import numpy as np
import pytest

from evaluation.breakdown import Losses, by_group, terciles
from evaluation.sum_metrics import FEWEST

RNG = np.random.default_rng(5)
ROWS = 3_000


def losses() -> Losses:
    values = RNG.exponential(size=(4, ROWS))
    return Losses(
        pinball=values[0],
        naive_pinball=values[1],
        error=values[2],
        naive_error=values[3],
        hit=(RNG.random(ROWS) < 0.9).astype(float),
    )


def test_each_group_has_the_scores_of_its_own_rows():
    made, group = losses(), RNG.integers(-1, 3, ROWS)
    for place, score in enumerate(by_group(made, group, ("a", "b", "c"))):
        rows = group == place
        assert score.forecasts == rows.sum()
        assert score.pinball_skill == pytest.approx(1 - made.pinball[rows].sum() / made.naive_pinball[rows].sum())
        assert score.mae_skill == pytest.approx(1 - made.error[rows].sum() / made.naive_error[rows].sum())
        assert score.coverage == pytest.approx(made.hit[rows].mean())
        assert score.error == pytest.approx(made.error[rows].mean())


def test_a_skill_is_of_rows_that_have_both_losses():
    made = losses()
    made.naive_pinball[::2] = np.nan
    both = ~np.isnan(made.naive_pinball)
    (score,) = by_group(made, np.zeros(ROWS, dtype=np.int64), ("all",))
    assert score.pinball_skill == pytest.approx(1 - made.pinball[both].sum() / made.naive_pinball[both].sum())


def test_too_few_forecasts_and_none_are_unknown_and_not_zero():
    group = np.full(ROWS, -1)
    group[: FEWEST - 1] = 0
    few, none = by_group(losses(), group, ("few", "none"))
    assert (few.forecasts, none.forecasts) == (FEWEST - 1, 0)
    for score in (few, none):
        assert (score.pinball_skill, score.mae_skill, score.coverage, score.error) == (None,) * 4


def test_terciles_are_thirds_of_each_symbols_own_scales():
    symbol = np.repeat([0, 1], ROWS)
    scale = np.concatenate([RNG.exponential(size=ROWS), 1_000 * RNG.exponential(size=ROWS)])
    scale[5] = np.nan
    places = terciles(symbol, scale)
    assert places[5] == -1
    for one in (0, 1):
        counts = np.bincount(places[(symbol == one) & (places >= 0)])
        assert np.ptp(counts) <= 1
        assert scale[(symbol == one) & (places == 0)].max() <= scale[(symbol == one) & (places == 2)].min()

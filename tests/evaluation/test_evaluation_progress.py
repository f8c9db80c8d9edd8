"""What an evaluation tells on its way: scores that the judge would give too, and a time left by what it saw."""

import pytest
from evaluation_market import RHO, forecasts, labels, skilled

from evaluation.number_format import DASH, number
from evaluation.progress import RemainingFits, format_rough_duration, scores
from evaluation.scorer import score_models


def test_a_models_scores_are_those_of_the_judge() -> None:
    rows = labels(days=3)
    result = skilled(rows, RHO, 1)
    results = score_models(rows, [("naive", forecasts(rows, 0 * rows.unit)), ("skilled", result)], 0)
    own = [number(100 * results.find("skilled", horizon, "r2").value, 2) for horizon in rows.horizons]
    assert scores(result.mean, rows) == f"R² {own[0]}, {own[1]} % at 1, 12 bars"
    assert own[0] != own[1]
    assert scores(result.mean * float("nan"), rows) == f"R² {DASH}, {DASH} % at 1, 12 bars"


def test_the_time_left_is_that_of_the_models_that_are_still_to_be_fitted() -> None:
    pace = RemainingFits(("naive", "ridge", "gbm"), splits=2, jobs=1)
    assert (pace.left(), pace.summary()) == (None, "0 of 6 fits done")
    pace.fitted("naive", 0.0)
    pace.fitted("ridge", 60.0)
    assert pace.left() == 0.0 + 60.0 + 2 * 30.0  # gbm is not known yet, and taken for the mean of the two
    pace.fitted("gbm", 600.0)
    assert pace.left() == 660.0
    assert pace.summary() == "3 of 6 fits done, about 11 min left"
    pace.kept("gbm")
    assert pace.summary() == "4 of 6 fits done, about 1 min left"
    pace.kept("naive")
    pace.fitted("ridge", 60.0)
    assert pace.summary() == "6 of 6 fits done"


def test_two_at_a_time_take_half_as_long() -> None:
    pace = RemainingFits(("ridge", "gbm"), splits=3, jobs=2)
    pace.fitted("ridge", 100.0)
    assert pace.left() == pytest.approx(5 * 100 / 2)


def test_the_time_left_is_shown_rounded() -> None:
    messages = [format_rough_duration(seconds) for seconds in (29, 31, 3_569, 3_571, 90_000)]
    assert messages == ["less than a minute", "about 1 min", "about 59 min", "about 1 h 0 min", "about 25 h 0 min"]

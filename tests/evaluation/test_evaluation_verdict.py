"""The verdict in words says what the tables say, and no more: a win, none, one that a delay undoes, too few days."""

from dataclasses import replace

import numpy as np
import pytest
from evaluation_market import RHO, forecasts, labels, noise, skilled, zoo

from evaluation.groups import DAY_MS
from evaluation.labels import Labels
from evaluation.number_format import MINUS, number
from evaluation.results import Results
from evaluation.scorer import score_models
from evaluation.verdict import conclusions
from models.forecaster import Forecasts

pytestmark = pytest.mark.slow


def percent(results: Results, model: str, horizon: int, metric: str = "r2") -> str:
    return number(100 * results.find(model, horizon, metric).value, 2)


def test_a_clear_win_names_the_model_the_horizon_the_gain_the_certainty_and_what_a_delay_leaves(
    results: Results,
) -> None:
    messages = conclusions(results)
    assert (
        messages[0]
        == "Better than naive with certainty: 1 and 12 bars ahead. One bar late that still holds 12 bars ahead."
    )
    cells = [results.find("skilled", horizon, "r2") for horizon in (1, 12)]
    spans = [f"{number(100 * cell.low, 2)} to {number(100 * cell.high, 2)}" for cell in cells]
    assert messages[1] == (
        f"1 bar ahead: skilled, R² {percent(results, 'skilled', 1)} % ({spans[0]}), p < 0.001. Entered one bar late it "
        f"is {percent(results, 'skilled', 1, 'r2_gapped')} %, worse than naive (p < 0.001). Worse than naive: chance."
    )
    assert percent(results, "skilled", 1, "r2_gapped").startswith(MINUS)
    assert messages[2].startswith(
        f"12 bars ahead: skilled, R² {percent(results, 'skilled', 12)} % ({spans[1]}), p < 0.001. "
    )
    assert f"late it is {percent(results, 'skilled', 12, 'r2_gapped')} %, better than naive (p < 0.001)." in messages[2]
    less = [number(-100 * results.skill("pinball", horizon, "skilled", "naive"), 1) for horizon in (1, 12)]
    assert messages[3] == (
        f"Quantiles better than naive's with certainty: 1 bar ahead skilled (pinball loss {less[0]} %), "
        f"12 bars ahead skilled (pinball loss {less[1]} %)."
    )
    assert all(words.startswith(MINUS) for words in less)
    assert messages[-1] == (
        "R² is of volatility-scaled returns, naive's is 0. Certain is a Diebold-Mariano test over 60 days with p below "
        "0.05, adjusted for all models and horizons (Holm)."
    )


def few(count: int) -> Results:
    rows = labels(days=count)
    return score_models(rows, zoo(rows), 7)


def test_too_few_days_decide_nothing_however_large_the_figures_are() -> None:
    assert conclusions(few(7)) == [
        "These 7 days are too few for conclusions: tests and intervals need 10 at least. No model is said to be better "
        "or worse than naive; the figures below are those of these days alone. More days: without --quick, or with "
        "more --months."
    ]
    assert "are too few for conclusions" not in " ".join(conclusions(few(10)))


def judged(**models: Forecasts) -> Results:
    return score_models(ROWS, [("naive", forecasts(ROWS, 0.0 * ROWS.unit)), *models.items()], 7)


ROWS: Labels = labels(days=30)


def test_where_nothing_is_better_with_certainty_it_says_so() -> None:
    faint = forecasts(ROWS, 0.02 * noise(ROWS, 6).mean)
    results = judged(faint=faint, chance=noise(ROWS, 3))
    messages = conclusions(results)
    assert messages[0] == "No model is better than naive with certainty, at any horizon."
    comparison = results.compared("squared", 1, "faint", "naive")
    assert comparison is not None
    assert comparison.holm > 0.05
    assert messages[1].startswith(
        f"1 bar ahead: none; the first by R² is faint with {percent(results, 'faint', 1)} % ("
    )
    assert messages[1].endswith(f"p {number(comparison.holm, 3)}. Worse than naive: chance.")
    assert "Entered one bar late" not in " ".join(messages)
    assert messages[3] == "Quantiles: no model's are better than naive's with certainty."


def test_models_that_cannot_be_told_apart_are_named_beside_each_other() -> None:
    signal = skilled(ROWS, RHO, 1).mean
    odd = (ROWS.time // DAY_MS % 2 == 1)[:, None]  # each is at half its boldness every other day
    one, other = (forecasts(ROWS, signal * np.where(odd == turn, 0.5, 1.0)) for turn in (True, False))
    results = judged(one=one, other=other, weak=skilled(ROWS, 0.05, 2))
    messages = conclusions(results)
    first = max(("one", "other"), key=lambda name: results.find(name, 1, "r2").value)
    second = {"one": "other", "other": "one"}[first]
    assert messages[1].startswith(f"1 bar ahead: {first}, R² {percent(results, first, 1)} % (")
    assert f"p < 0.001 ({second} is not told apart from it). Entered" in messages[1]
    assert "weak" not in messages[1]


def test_models_without_a_mean_of_their_own_are_not_compared_in_it() -> None:
    messages = conclusions(judged(har=forecasts(ROWS, 0.0 * ROWS.unit, 0.95 * ROWS.unit)))
    assert messages[0] == "No model is better than naive with certainty, at any horizon."
    assert messages[1] == "1 bar ahead: none; no model has a mean other than naive's."
    assert messages[3].startswith(
        f"Quantiles better than naive's with certainty: 1 bar ahead har (pinball loss {MINUS}"
    )


def test_the_baseline_alone_has_nothing_to_be_compared_with() -> None:
    assert conclusions(judged()) == ["Only naive was scored: there is nothing to compare it with."]


def test_a_late_score_that_is_unknown_is_said_to_be_unknown(results: Results) -> None:
    cells = [cell._replace(value=np.nan) if cell.metric == "r2_gapped" else cell for cell in results.cells]
    assert "The effect of one bar's delay is unknown." in conclusions(replace(results, cells=cells))[1]


@pytest.mark.parametrize("word", ["best", "superior", "excellent", "strong", "state of the art"])
def test_the_verdict_uses_no_superlatives(results: Results, word: str) -> None:
    assert word not in " ".join(conclusions(results)).lower()

"""The sample undisturbed raises no alarm; a flip of its autocorrelation does, within a day; however it is cut."""

import numpy as np
import pytest
from learning_market import MINUTE, judged, planted, sample, scored

from features.frame import FeatureFrame
from learning.monitoring.scored_forecasts import Scored, against, relative
from learning.monitoring.scorer import Origin
from models import training
from models.baselines.naive import Naive
from models.drift.reference import Reference
from models.forecaster import Forecaster
from models.trees.gbm import GBM
from topics.records import HORIZONS

CUT = 21_600
"""The bar at which the training ends: the day 15 of 30."""
FLIP = 26_000
"""The bar from which what followed now turns back."""
WEEK = 10_080
Run = tuple[Scored, list[FeatureFrame], Origin]

pytestmark = pytest.mark.slow


def run(carry: float, after: float) -> Run:
    """Train on the first half of the sample, in which each return carries a share of the last; forecast the second."""
    bars = [planted(frame, carry, after, FLIP) for frame in sample()] if carry or after else sample()
    definition = training.define([frame[:CUT] for frame in bars])
    frames = training.features(bars, definition)
    known = [frame[:CUT] for frame in frames]
    models: list[Forecaster] = [Naive(definition.names), GBM(definition.names)]
    for model in models:
        model.fit(known, 1)
    later = [frame[CUT:] for frame in frames]
    return scored(later, models), later, (None, Reference.fit(known, definition.names))


@pytest.fixture(scope="module")
def undisturbed() -> Run:
    return run(0.0, 0.0)


@pytest.fixture(scope="module")
def flipped() -> Run:
    return run(-0.3, 0.3)


def test_the_real_market_undisturbed_raises_no_alarm(undisturbed: Run) -> None:
    assert judged(*undisturbed)[0] == []


def test_a_market_that_turns_its_autocorrelation_raises_each_alarm_once_within_a_day(flipped: Run) -> None:
    outcomes, frames, origin = flipped
    drifts, _ = judged(outcomes, frames, origin)
    flip = int(frames[0].time[FLIP - CUT])
    delays = {}
    for drift in drifts:
        assert drift.time > flip
        delays.setdefault(drift.kind, (drift.time - flip) // MINUTE)
    assert delays["errors"] <= 900
    assert delays["dissimilarity"] <= 1_000
    (errors,) = [drift for drift in drifts if drift.kind == "errors"]
    assert abs((errors.since or 0) - flip) <= 180 * MINUTE
    assert errors.detail.startswith("the gain over naive fell from +")


@pytest.mark.long
def test_a_version_that_is_trained_after_the_change_brings_the_skill_back(flipped: Run) -> None:
    outcomes, frames, (_, reference) = flipped
    assert reference is not None
    flip, trained = FLIP - CUT, FLIP - CUT + WEEK
    new = GBM(reference.names)
    new.fit([frame[flip:trained] for frame in frames], 1)
    again = scored([frame[trained:] for frame in frames], [Naive(reference.names), new])

    def gain(whose: Scored, first: int, last: int) -> float:
        """Return the mean gain over naive at the next bar, of the bars from one row of the frames up to another."""
        begin, end = (int(frames[0].time[row]) for row in (first, last))
        rows = (whose.version == 1) & (whose.horizon == 1) & (whose.bar > begin) & (whose.bar <= end)
        assert rows.sum() > 5_000
        return float(relative(whose.naive_loss[rows], whose.loss[rows]).mean())

    before = gain(outcomes, 0, flip)
    wrong, right = (gain(one, trained, len(frames[0]) - 1) for one in (outcomes, again))
    assert wrong < 0 < before / 2 < right


@pytest.mark.parametrize("bars", [77, 5_000])
def test_what_is_found_does_not_depend_on_how_the_bars_come(flipped: Run, bars: int) -> None:
    drifts, skills = judged(*flipped)
    others, also = judged(*flipped, bars=bars)
    assert sorted(others, key=repr) == sorted(drifts, key=repr)
    assert [skill[:8] for skill in also] == [skill[:8] for skill in skills]
    numbers = [[skill.pinball_skill, skill.mae_skill, skill.coverage] for skill in skills]
    np.testing.assert_allclose(
        [[skill.pinball_skill, skill.mae_skill, skill.coverage] for skill in also], numbers, rtol=1e-9
    )


def test_the_skill_of_a_day_is_that_of_its_outcomes(undisturbed: Run) -> None:
    outcomes = undisturbed[0]
    skills = judged(*undisturbed)[1]
    last = [skill for skill in skills if (skill.model, skill.horizon, skill.days) == ("gbm", 5, 1.0)][-1]
    rows = (outcomes.version == 1) & (outcomes.horizon == 5)
    rows &= (outcomes.bar > last.time - 86_400_000) & (outcomes.bar <= last.time)
    assert last.forecasts == rows.sum() == 2 * 1_440
    assert last.pinball_skill == pytest.approx(1 - outcomes.loss[rows].sum() / outcomes.naive_loss[rows].sum())
    assert last.coverage == pytest.approx(outcomes.hit[rows].mean())
    assert (last.role, last.regime) == ("champion", "all")


def test_only_forecasts_of_the_same_symbol_bar_and_horizon_are_compared(undisturbed: Run) -> None:
    outcomes = undisturbed[0]
    ours, theirs = outcomes.where(outcomes.version == 0), outcomes.where(outcomes.version == 1)
    bars, gain = against(ours.where(ours.bar % (7 * MINUTE) != 0), theirs.where(theirs.symbol == 1), HORIZONS)
    assert (bars % (7 * MINUTE) != 0).all()
    at = theirs.where((theirs.symbol == 1) & (theirs.bar == bars[500]) & (theirs.horizon == 15))
    assert gain[500, 2] == relative(at.naive_loss, at.loss)[0]

"""A change that was planted is found once it has lasted, once, and none where there is none."""

import numpy as np
import pytest
from learning_market import walk

from features.definition import DEFAULT
from learning.monitoring import coverage_drift, ood
from learning.monitoring.block_means import BARS, Blocks
from learning.monitoring.change import Change
from learning.monitoring.coverage_drift import CoverageDrift
from learning.monitoring.debounce import Debounce
from learning.monitoring.drift_monitor import Watcher
from learning.monitoring.error_drift import ErrorDrift
from learning.monitoring.expiry import DAY_MS, Expiry
from learning.monitoring.feature_drift import FeatureDrift
from learning.monitoring.ood import DissimilarityDrift
from learning.monitoring.watermark import ALLOWED_LATENESS_S, Watermark
from models import training
from models.drift.reference import Reference

MINUTE = 60_000
DAY = 1_440


def found(watcher: Watcher, values: np.ndarray) -> list[Change]:
    changes = [watcher.update(row * MINUTE, value) for row, value in enumerate(values.tolist())]
    return [change for change in changes if change is not None]


def gain(seed: int, rows: int, mean: float) -> np.ndarray:
    """Return gains about a mean, as autocorrelated and as noisy as those of gbm on the bundled sample."""
    rng = np.random.default_rng(seed)
    slow = np.repeat(rng.normal(0.0, 0.015, rows // 60 + 1), 60)[:rows]
    return mean + slow + rng.normal(0.0, 0.05, rows)


def test_a_gain_that_stays_what_it_is_raises_no_alarm() -> None:
    assert sum(len(found(ErrorDrift(1, MINUTE), gain(seed, 30 * DAY, 0.02))) for seed in range(20)) == 0


def test_a_gain_that_is_lost_raises_one_alarm_soon_and_tells_since_when() -> None:
    for seed in range(20):
        values = np.concatenate([gain(seed, 4 * DAY, 0.03), gain(seed + 100, 6 * DAY, -0.03)])
        (change,) = found(ErrorDrift(1, MINUTE), values)
        assert 0 < change.time // MINUTE - 4 * DAY <= 900
        assert abs(change.since // MINUTE - 4 * DAY) <= 4 * BARS
        assert change.statistic > change.limit


def test_a_gain_that_is_lost_for_two_hours_hardly_ever_raises_an_alarm() -> None:
    raised = 0
    for seed in range(40):
        values = gain(seed, 10 * DAY, 0.03)
        values[4 * DAY : 4 * DAY + 120] -= 0.06
        raised += len(found(ErrorDrift(1, MINUTE), values))
    assert raised <= 2


def test_a_gain_that_comes_back_ends_the_alarm_and_may_be_lost_again() -> None:
    parts = [gain(1, 3 * DAY, 0.03), gain(2, 2 * DAY, -0.04), gain(3, 4 * DAY, 0.03), gain(4, 2 * DAY, -0.04)]
    first, second = found(ErrorDrift(5, MINUTE), np.concatenate(parts))
    assert (first.horizon, second.horizon) == (5, 5)
    assert second.since // MINUTE >= 9 * DAY - 4 * BARS


def test_a_model_with_the_naive_models_forecasts_raises_no_alarm() -> None:
    assert found(ErrorDrift(1, MINUTE), np.zeros(10 * DAY)) == []


def test_an_interval_that_holds_less_than_it_says_raises_an_alarm() -> None:
    rng = np.random.default_rng(1)
    calm = (rng.random(20 * DAY) < 0.9).astype(float)
    assert found(CoverageDrift(1, MINUTE), calm) == []
    narrow = np.concatenate([calm[: 2 * DAY], (rng.random(2 * DAY) < 0.75).astype(float)])
    (change,) = found(CoverageDrift(1, MINUTE), narrow)
    assert 2 * DAY < change.time // MINUTE <= 2 * DAY + (coverage_drift.WINDOW + coverage_drift.STEPS) * BARS
    wide = np.concatenate([calm[: 2 * DAY], np.ones(2 * DAY)])
    assert found(CoverageDrift(1, MINUTE), wide) == []


def test_many_bars_unlike_the_training_data_raise_an_alarm_and_a_few_hours_of_them_none() -> None:
    rng = np.random.default_rng(1)
    share = (rng.random(6 * DAY) < 0.02).astype(float)
    assert found(DissimilarityDrift(MINUTE), share) == []
    share[2 * DAY : 2 * DAY + 180] = 0.4
    assert found(DissimilarityDrift(MINUTE), share) == []
    share[3 * DAY :] = 0.4
    (change,) = found(DissimilarityDrift(MINUTE), share)
    assert 0 < change.time // MINUTE - 3 * DAY <= (ood.WINDOW + ood.STEPS) * BARS


def test_the_watchers_pass_over_what_is_unknown() -> None:
    blocks = Blocks(MINUTE)
    values = [0.5, float("nan"), 1.5] * 20 + [0.0]
    ended = [blocks.update(row * MINUTE, value) for row, value in enumerate(values)]
    assert [block for block in ended if block] == [(59 * MINUTE, 1.0)]


def test_training_data_that_is_too_old_is_told_of_once() -> None:
    expiry = Expiry(0, 2.0)
    changes = [expiry.update(time) for time in (DAY_MS, 2 * DAY_MS, 2 * DAY_MS + 1, 3 * DAY_MS)]
    assert [change is not None for change in changes] == [False, False, True, False]


def test_a_condition_counts_once_it_has_lasted_and_again_once_it_was_over() -> None:
    lasting = Debounce(2)
    seen = [(True, False), (False, True), (True, False), (True, False), (True, False), (False, False), (False, True)]
    seen += [(False, True), (True, False), (True, False)]
    began = [lasting.update(time, beyond=beyond, within=within) for time, (beyond, within) in enumerate(seen)]
    assert [time for time, new in enumerate(began) if new] == [3, 9]
    assert lasting.since == 8


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.fit(training.features([walk(1, 12_000)], DEFAULT), DEFAULT.names)


def test_columns_that_are_distributed_otherwise_raise_an_alarm_however_the_rows_were_cut(reference: Reference) -> None:
    (same,) = training.features([walk(2, 12_000)], DEFAULT)
    assert FeatureDrift(reference, MINUTE).update(same.time, same.values) == []
    (other,) = training.features([walk(2, 12_000, carry=0.7)], DEFAULT)
    (change,) = FeatureDrift(reference, MINUTE).update(other.time, other.values)
    assert (change.time - other.time[0]) // MINUTE <= 3 * DAY
    pieces, changes = FeatureDrift(reference, MINUTE), []
    for start in range(0, 12_000, 77):
        changes += pieces.update(other.time[start : start + 77], other.values[start : start + 77])
    assert changes == [change]


def test_all_symbols_are_waited_for_and_one_that_has_ended_is_not() -> None:
    frontier = Watermark(1_000)
    assert frontier.advance({"A": 5_000, "B": 3_000, "GONE": 500}, 0.0) == 2_999
    frontier.read = 2_999
    assert frontier.advance({"A": 9_000, "B": 3_000}, 1.0) == 2_999
    assert frontier.advance({"A": 9_000, "B": 3_000}, ALLOWED_LATENESS_S + 1) == 8_999
    frontier.read = 8_999
    assert frontier.advance({"A": 12_000, "B": 4_000}, ALLOWED_LATENESS_S + 2) == 8_999
    assert frontier.advance({"A": 12_000, "B": 13_000}, ALLOWED_LATENESS_S + 3) == 11_999
    assert Watermark(0).advance({}, 0.0) == 0

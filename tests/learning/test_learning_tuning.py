"""Tuning: what trials see, and that processes which share a study lose none of its trials and run none too many."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from optuna.trial import FrozenTrial, TrialState
from stacks import Servers
from tuner import BEAT_S, GRACE_S
from tuning_database import empty_database
from tuning_market import DAY, FEW, MINUTE, PLAN, START, markets, poisoned

from features.frame import FeatureFrame
from learning.tracking.tracker import Tracker
from learning.tuning.mean_estimate import mean_estimate
from learning.tuning.objective import Objective, Plan, plan_splits
from learning.tuning.study import MedianPruner, Shared, counts, distribution, experimental, pruner_of
from learning.tuning.tuner import tune
from models import search_space
from models.baselines.ar import AR
from models.linear.ridge import Ridge
from settings import ROOT
from storage.errors import StorageError

HERE = Path(__file__).parent
NOBODY = "http://127.0.0.1:1"
TUNED: search_space.Parameters = {"clip": 3.0, "half_life": 60}


@pytest.fixture
def database(servers: Servers, request: pytest.FixtureRequest) -> Iterator[str]:
    with empty_database(servers, request.node.nodeid) as url:
        yield url


def process(url: str, trials: int) -> "subprocess.Popen[str]":
    command = [sys.executable, str(HERE / "tuner.py"), url, str(trials)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def shared(url: str, model: type[AR] = AR, grace: int = GRACE_S) -> Shared:
    return Shared(url, "shared", model.SPACE, MedianPruner(), PLAN.seed, BEAT_S, grace)


def trials_of(url: str) -> list[FrozenTrial]:
    return shared(url).trials()


class Told:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)


def test_the_past_is_cut_into_whole_days_and_the_end_is_held_out() -> None:
    last = START + 100 * DAY - MINUTE
    splits, later = plan_splits(START, last, Plan(folds=2, held_out=0.2))
    days = [((number.cut - START) / DAY, (number.end - START) / DAY) for number in (*splits, later)]
    assert days == [(40, 60), (60, 80), (80, 100)]
    assert {number.start for number in (*splits, later)} == {START}
    with pytest.raises(ValueError, match=r"6.0 days of bars leave 3 to score trials on: at least 4 are needed"):
        plan_splits(START, START + 6 * DAY - MINUTE, Plan())


@pytest.mark.slow
def test_nothing_of_the_held_out_days_reaches_a_trial() -> None:
    bars = markets()
    one = Objective(Ridge, bars, PLAN)
    other = Objective(Ridge, poisoned(bars, one.unseen.cut), PLAN)
    assert other.identity == one.identity
    assert other.definition.fingerprint == one.definition.fingerprint
    for split in range(PLAN.folds):
        assert other.daily(split, TUNED) == one.daily(split, TUNED)
    assert other.later(TUNED) != one.later(TUNED)  # the poison reaches what may see it


@pytest.mark.slow
@pytest.mark.parametrize("split", range(PLAN.folds))
def test_no_trial_sees_a_label_of_the_days_that_it_is_judged_on_or_of_the_next_fold(split: int) -> None:
    bars = markets()
    one = Objective(Ridge, bars, PLAN)
    purged = one.splits[split].cut - DAY
    other = Objective(Ridge, poisoned(bars, purged), PLAN)
    assert version(other, split) == version(one, split)
    assert other.daily(split, TUNED) != one.daily(split, TUNED)
    after = Objective(Ridge, poisoned(bars, one.splits[split].end), PLAN)
    assert after.daily(split, TUNED) == one.daily(split, TUNED)


def version(objective: Objective, split: int) -> str:
    """Return the version of the model that a fold's trial fits."""
    return objective.fitted(objective.splits[split], objective.frames, TUNED, PLAN.thin).version


def test_other_bars_another_plan_or_another_model_is_another_study() -> None:
    class Other(Ridge):
        SPACE: ClassVar[search_space.Space] = {"clip": search_space.Real(3.0, 5.0, 4.0)}

    bars = markets()
    objectives = [
        Objective(Ridge, bars, PLAN),
        Objective(Ridge, poisoned(bars, START + 7 * DAY), PLAN),
        Objective(Ridge, bars, PLAN._replace(thin=3)),
        Objective(Other, bars, PLAN),
        Objective(Ridge, bars, PLAN, {"COIN1": 1.0, "COIN2": 2.0}),
    ]
    assert len({objective.identity for objective in objectives}) == len(objectives)


@pytest.mark.slow
def test_a_model_that_knows_the_market_has_skill_on_every_fold() -> None:
    objective = Objective(Ridge, markets(), PLAN)
    for split in range(PLAN.folds):
        assert mean_estimate(objective.daily(split, {})).mean > 0.001


@pytest.mark.services
def test_the_untuned_model_comes_first_and_a_trial_that_fails_is_recorded_and_stops_nothing(
    database: str,
) -> None:
    class Fragile(AR):
        """Cannot be fitted with a wide clip."""

        def fit(self, frames: list[FeatureFrame], seed: int) -> None:
            if self.clip > 4.5:
                raise ValueError("a clip that wide is too much")
            super().fit(frames, seed)

    reporter = Told()
    study = shared(database, Fragile)
    tuning_result = tune(
        Objective(Fragile, markets(), PLAN, columns=FEW),
        study,
        8,
        Tracker(NOBODY, reporter),
        reporter,
        present={"clip": 3.25},
    )
    trials = study.trials()
    assert trials[0].params == search_space.defaults(AR.SPACE)
    assert trials[0].state == TrialState.COMPLETE
    assert trials[1].params == {"clip": 3.25}
    wide = [trial for trial in trials if trial.params["clip"] > 4.5]
    assert wide
    assert all(trial.state == TrialState.FAIL for trial in wide)
    assert tuning_result.failed == len(wide)
    assert tuning_result.reasons == {"a clip that wide is too much": len(wide)}
    assert tuning_result.complete + tuning_result.pruned + tuning_result.failed == len(trials) == 8
    came = [line for line in reporter.lines if re.match(r"trial \d+: (?!fold)", line)]
    first = r"trial 0: ([+-]\d\.\d{3}) % skill ± \d\.\d{3}, best \1 of trial 0 \(1 of 8, about [\d.]+ \w+ left\)"
    assert re.fullmatch(first, came[0]), came[0]
    assert sum("a clip that wide is too much" in line for line in came) == len(wide)
    assert [line.endswith("(8 of 8)") for line in came] == [False] * 7 + [True]
    assert [line for line in reporter.lines if line.startswith("MLflow")] == [f"MLflow at {NOBODY}: no answer"]
    again = tune(
        Objective(Fragile, markets(), PLAN, columns=FEW),
        shared(database, Fragile),
        8,
        Tracker(NOBODY, reporter),
        reporter,
    )
    assert again == tuning_result


@pytest.mark.long
@pytest.mark.services
def test_two_processes_share_a_study_and_run_exactly_the_trials_that_were_asked_for(database: str) -> None:
    both = [process(database, 14) for _ in range(2)]
    texts = [one.communicate(timeout=240)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert all("trial " in lines for lines in texts)
    trials = trials_of(database)
    assert [trial.number for trial in trials] == list(range(14))
    assert {trial.state for trial in trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert len({tuple(sorted(trial.params.items())) for trial in trials}) == 14
    assert trials[0].params == search_space.defaults(AR.SPACE)


@pytest.mark.long
@pytest.mark.services
@pytest.mark.chaos
def test_the_trial_of_a_killed_process_is_run_again_and_the_total_is_exact(database: str) -> None:
    one = process(database, 8)
    assert one.stdout is not None
    for line in one.stdout:
        if line.startswith("trial 3: "):
            break
    one.send_signal(signal.SIGKILL)
    one.wait(60)
    one.stdout.close()
    left = next(trial for trial in trials_of(database) if trial.state == TrialState.RUNNING)
    assert left.number == 3
    other = process(database, 8)
    other.communicate(timeout=240)
    assert other.returncode == 0
    trials = trials_of(database)
    done = [trial for trial in trials if counts(trial)]
    assert len(done) == 8
    assert {trial.state for trial in done} <= {TrialState.COMPLETE, TrialState.PRUNED}
    lost = [trial for trial in trials if not counts(trial)]
    assert [(trial.number, trial.state) for trial in lost] == [(3, TrialState.FAIL)]
    assert [trial.params for trial in done].count(left.params) == 1


@pytest.mark.services
def test_a_trial_that_is_broken_off_is_queued_again_at_once(database: str) -> None:
    study = shared(database)
    study.begin([search_space.defaults(AR.SPACE)])
    trial = study.claim(3)
    assert trial is not None
    with pytest.raises(KeyboardInterrupt), study.running(trial):
        raise KeyboardInterrupt
    again = study.claim(3)
    assert again is not None
    assert again.params == trial.params
    assert sum(map(counts, study.trials())) == 1


@pytest.mark.services
@pytest.mark.chaos
def test_a_trial_whose_process_was_killed_before_its_first_beat_is_not_lost(database: str) -> None:
    study = shared(database, grace=2)
    study.study.enqueue_trial(search_space.defaults(AR.SPACE))
    with experimental():
        study.study.ask({name: distribution(kind) for name, kind in AR.SPACE.items()})
    tune(Objective(AR, markets(), PLAN, columns=FEW), study, 1, Tracker(NOBODY, lambda _: None))
    states = [trial.state for trial in study.trials()]
    assert states == [TrialState.FAIL, TrialState.COMPLETE]


def test_without_a_database_it_is_one_line() -> None:
    with pytest.raises(StorageError, match=r"127.0.0.1:1/none could not be migrated: .*refused") as error:
        Shared("postgresql://foretick:secret@127.0.0.1:1/none", "shared", AR.SPACE, MedianPruner(), 0)
    assert "secret" not in str(error.value)


def test_an_unknown_pruner_is_refused() -> None:
    with pytest.raises(ValueError, match="no pruner 'best'; they are median and hyperband"):
        pruner_of("best", 2)

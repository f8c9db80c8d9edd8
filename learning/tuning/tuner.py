"""Tuning a model: trials of a shared study up to the requested number, and their result."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import Trial, TrialState

from evaluation.eta import RemainingTime
from learning.tracking.tracker import MlflowRun, Tracker
from learning.tuning.mean_estimate import mean_estimate
from learning.tuning.objective import Objective
from learning.tuning.study import REASON, Shared, counts, failing_in_a_line
from learning.tuning.tuning_result import DAILY, RUN, TuningResult, tuning_result
from models import search_space
from models.search_space import NONE, Parameters

OnMessage = Callable[[str], None]
WAIT_S = 1.0
"""Seconds between two checks of trials that other processes run."""


def tune(
    objective: Objective,
    shared: Shared,
    trials: int,
    tracker: Tracker,
    on_message: OnMessage = lambda _: None,
    timeout: float | None = None,
    present: Parameters = NONE,
) -> TuningResult:
    """Run trials until the study has `trials`, or for `timeout` seconds, and return the study's result.

    The first trial is the untuned model, the second has the present tuned parameters (`present`). Other processes may
    do the same: it ends when no trial is left. Raises ValueError with one line if the untuned model cannot be scored,
    and StorageError if the database fails.
    """
    untuned = search_space.defaults(shared.space)
    with failing_in_a_line(shared.url):
        shared.begin([untuned, untuned | dict(present)] if present else [untuned])
    end = None if timeout is None else time.monotonic() + timeout
    others, before_us = 0, _done(shared)
    left = RemainingTime(trials - before_us)
    with failing_in_a_line(shared.url), _parent(objective, shared, tracker, trials) as parent:
        while end is None or time.monotonic() < end:
            trial = shared.claim(trials)
            if trial is None:
                others, before = shared.busy(), others
                if not others:
                    break
                if others != before:
                    on_message(f"{others} trials still run in other processes")
                time.sleep(WAIT_S)
                continue
            with tracker.run(f"{objective.model.name} trial {trial.number}", "trial", parent=parent.run_id) as run:
                _one(objective, shared, trial, run, on_message)
            left.done = _done(shared) - before_us  # other processes' trials too
            on_message(f"{_came(shared, trial.number)} ({left.text(time.monotonic())})")
        result = tuning_result(objective, shared, on_message)
        parent.metrics(result.numbers())
    return result


def _one(objective: Objective, shared: Shared, trial: Trial, run: MlflowRun, on_message: OnMessage) -> None:
    """Run one trial; if another process treated it as lost and restarted it, that one's result counts."""
    run.params(trial.params)
    with shared.running(trial):
        try:
            try:
                _judge(objective, shared, trial, run, on_message)
            except ValueError as error:
                shared.fail(trial, str(error))
                run.tags({"reason": str(error)})
        except UpdateFinishedTrialError:
            on_message(f"trial {trial.number} was treated as lost, and is run by another process")


def _done(shared: Shared) -> int:
    """Return how many of the requested trials have ended."""
    return sum(trial.state.is_finished() and counts(trial) for trial in shared.trials())


def _came(shared: Shared, number: int) -> str:
    """Return a trial's result, with the best so far."""
    trial = shared.trials()[number]
    if trial.state != TrialState.COMPLETE:
        return f"trial {number}: {trial.user_attrs.get(REASON) or trial.state.name.lower()}"
    own, best = mean_estimate(trial.user_attrs[DAILY]), shared.study.best_trial
    first = f"best {100 * mean_estimate(best.user_attrs[DAILY]).mean:+.3f} of trial {best.number}"
    return f"trial {number}: {100 * own.mean:+.3f} % skill ± {100 * own.error:.3f}, {first}"


def _judge(objective: Objective, shared: Shared, trial: Trial, run: MlflowRun, on_message: OnMessage) -> None:
    """Score it split after split; prune it if it is worse than most, unless it is the untuned model."""
    untuned = trial.params == search_space.defaults(shared.space)
    daily: list[float] = []
    for number, split in enumerate(objective.splits, 1):
        on_message(f"trial {trial.number}: {split.name}")
        daily += objective.daily(number - 1, trial.params)
        so_far = float(np.mean(daily))
        run.metric("skill", so_far, number)
        trial.report(so_far, number)
        if number < len(objective.splits) and not untuned and trial.should_prune():
            shared.study.tell(trial, state=TrialState.PRUNED, skip_if_finished=True)
            run.tags({"state": "pruned"})
            return
    results = mean_estimate(daily)
    trial.set_user_attr(DAILY, daily)
    shared.study.tell(trial, results.cautious, skip_if_finished=True)
    run.metrics({"worth": results.cautious, "standard error": results.error})


@contextmanager
def _parent(objective: Objective, shared: Shared, tracker: Tracker, trials: int) -> Iterator[MlflowRun]:
    """Open the study's run, the same for all processes that ever work on it."""
    with ExitStack() as stack:
        with shared.locked():
            known = shared.study.user_attrs.get(RUN)
            name = f"tune {objective.model.name}"
            run: MlflowRun = stack.enter_context(tracker.run(name, "tune", tags={"study": shared.name}, run_id=known))
            if known is None and run.run_id is not None:
                shared.study.set_user_attr(RUN, run.run_id)
                run.params({"model": objective.model.name, "trials": trials, **objective.plan._asdict()})
                run.text(_listed(shared.space), "space.txt")
        yield run


def _listed(kinds: search_space.Space) -> str:
    lines: Sequence[str] = [f"{name}: {kind}; untuned {kind.default}" for name, kind in kinds.items()]
    return "\n".join(lines) + "\n"

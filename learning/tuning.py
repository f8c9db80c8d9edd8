"""Tuning a model: trials of a shared study until there are as many as were asked for, and what came of them."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import Trial, TrialState

from learning.objective import Objective, worth
from learning.study import Shared, failing_in_a_line
from learning.tracking import Run, Tracker
from learning.verdict import DAILY, RUN, Verdict, verdict
from models import space
from models.space import NONE, Parameters

Told = Callable[[str], None]
WAIT_S = 1.0
"""Between two looks at trials that other processes run."""


def tune(
    objective: Objective,
    shared: Shared,
    trials: int,
    tracker: Tracker,
    told: Told = lambda _: None,
    timeout: float | None = None,
    present: Parameters = NONE,
) -> Verdict:
    """Run trials until the study has `trials`, or for `timeout` seconds, and return what the study says.

    The first trial is the untuned model, the second the one that is tuned by now (`present`). Other processes may do
    the same: it ends when none has a trial left. Raises ValueError with one line where the untuned model cannot be
    judged, and StorageError where the database fails.
    """
    untuned = space.defaults(shared.space)
    with failing_in_a_line(shared.url):
        shared.begin([untuned, untuned | dict(present)] if present else [untuned])
    end = None if timeout is None else time.monotonic() + timeout
    others = 0
    with failing_in_a_line(shared.url), _parent(objective, shared, tracker, trials) as parent:
        while end is None or time.monotonic() < end:
            trial = shared.claim(trials)
            if trial is None:
                others, before = shared.busy(), others
                if not others:
                    break
                if others != before:
                    told(f"{others} trials still run in other processes")
                time.sleep(WAIT_S)
                continue
            with tracker.run(f"{objective.model.name} trial {trial.number}", "trial", parent=parent.run_id) as run:
                _one(objective, shared, trial, run, told)
        found = verdict(objective, shared, told)
        parent.metrics(found.numbers())
    return found


def _one(objective: Objective, shared: Shared, trial: Trial, run: Run, told: Told) -> None:
    """Run one trial; where another process took it for lost and has begun it anew, that one's word counts."""
    run.params(trial.params)
    with shared.running(trial):
        try:
            try:
                _judge(objective, shared, trial, run, told)
            except ValueError as error:
                shared.fail(trial, str(error))
                run.tags({"reason": str(error)})
        except UpdateFinishedTrialError:
            told(f"trial {trial.number} was given up for lost, and is run elsewhere")


def _judge(objective: Objective, shared: Shared, trial: Trial, run: Run, told: Told) -> None:
    """Judge it fold after fold; give it up early where it is worse than most, unless it is the untuned model."""
    untuned = trial.params == space.defaults(shared.space)
    daily: list[float] = []
    for number, fold in enumerate(objective.folds, 1):
        told(f"trial {trial.number}: {fold.name}")
        daily += objective.daily(number - 1, trial.params)
        so_far = float(np.mean(daily))
        run.metric("skill", so_far, number)
        trial.report(so_far, number)
        if number < len(objective.folds) and not untuned and trial.should_prune():
            shared.study.tell(trial, state=TrialState.PRUNED, skip_if_finished=True)
            run.tags({"state": "pruned"})
            return
    found = worth(daily)
    trial.set_user_attr(DAILY, daily)
    shared.study.tell(trial, found.cautious, skip_if_finished=True)
    run.metrics({"worth": found.cautious, "standard error": found.error})


@contextmanager
def _parent(objective: Objective, shared: Shared, tracker: Tracker, trials: int) -> Iterator[Run]:
    """Open the study's run, the same for all processes that ever work on it."""
    with ExitStack() as stack:
        with shared.locked():
            known = shared.study.user_attrs.get(RUN)
            name = f"tune {objective.model.name}"
            run: Run = stack.enter_context(tracker.run(name, "tune", tags={"study": shared.name}, run_id=known))
            if known is None and run.run_id is not None:
                shared.study.set_user_attr(RUN, run.run_id)
                run.params({"model": objective.model.name, "trials": trials, **objective.plan._asdict()})
                run.text(_listed(shared.space), "space.txt")
        yield run


def _listed(kinds: space.Space) -> str:
    lines: Sequence[str] = [f"{name}: {kind}; untuned {kind.default}" for name, kind in kinds.items()]
    return "\n".join(lines) + "\n"

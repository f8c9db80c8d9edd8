"""What a study has found: its best trial beside the untuned model, on the folds and on days that no trial saw."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from math import inf
from typing import Any

from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from learning.objective import Objective, Worth, worth
from learning.study import REASON, Shared, experimental, failed
from models import space
from models.space import Value

DAILY, LATER, RUN = "daily", "later", "run_id"
"""What a trial and the study keep: skills by day, and the run in MLflow."""
ENOUGH = 10
"""Trials from which on it is said which parameters mattered."""


@dataclass(frozen=True)
class Verdict:
    """The study's trials by state, and skills as means over days with their standard errors.

    `gain` is the best trial's skill less the untuned model's, day by day: on the folds, where it was chosen for being
    the best, and `later`, where it was not. None where the best is the untuned model. `parameters` are those of the
    best that differ from the untuned model's, `reasons` those of failed trials, `run_id` is the study's run in MLflow.
    """

    model: str
    study: str
    complete: int
    pruned: int
    failed: int
    parameters: dict[str, Value]
    untuned: Worth
    best: Worth
    gain: Worth | None
    later_untuned: Worth | None
    later_best: Worth | None
    later_gain: Worth | None
    importances: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    run_id: str | None = None

    @property
    def better(self) -> bool:
        """Tell whether the best is to be taken: better by a standard error on the folds, and not worse later."""
        if self.gain is None or self.later_gain is None:
            return False
        return self.gain.mean > self.gain.error and self.later_gain.mean > 0

    def numbers(self) -> dict[str, float]:
        """Return the figures by name."""
        found: dict[str, float] = {}
        for name in ("untuned", "best", "gain", "later_untuned", "later_best", "later_gain"):
            value: Worth | None = getattr(self, name)
            if value is not None:
                found |= {name: value.mean, f"{name}_error": value.error}
        return found | {"complete": self.complete, "pruned": self.pruned, "failed": self.failed}

    def to_json(self) -> dict[str, Any]:
        """Return all of it, as plain values."""
        return asdict(self) | {"better": self.better}


def verdict(objective: Objective, shared: Shared, told: Callable[[str], None] = lambda _: None) -> Verdict:
    """Return what the study says by now; the days that no trial saw are forecast once for each best trial.

    Raises ValueError with one line where the untuned model was not judged.
    """
    trials = shared.trials()
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    defaults = space.defaults(shared.space)
    untuned = next((trial for trial in complete if trial.params == defaults), None)
    reasons = Counter(str(trial.user_attrs[REASON]) for trial in trials if failed(trial))
    if untuned is None:
        why = next(iter(reasons), "no trial of it has ended yet")
        raise ValueError(f"the untuned model {objective.model.name!r} was not judged: {why}")
    best = max(complete, key=lambda trial: -inf if trial.value is None else trial.value)
    one, other = (worth(trial.user_attrs[DAILY]) for trial in (untuned, best))
    later: tuple[Worth | None, Worth | None, Worth | None] = (None, None, None)
    gain = None
    if best.params != defaults:
        gain = _gain(best.user_attrs[DAILY], untuned.user_attrs[DAILY])
        told("the days that no trial saw")
        before, after = (_later(objective, shared, trial) for trial in (untuned, best))
        later = worth(before), worth(after), _gain(after, before)
    return Verdict(
        objective.model.name,
        shared.name,
        len(complete),
        sum(trial.state == TrialState.PRUNED for trial in trials),
        sum(reasons.values()),
        space.tuned(objective.model.name, shared.space, best.params),
        one,
        other,
        gain,
        *later,
        _importances(shared, complete),
        dict(reasons),
        shared.study.user_attrs.get(RUN),
    )


def explained(found: Verdict) -> str:
    """Return in one line whether the best is better than the untuned model, and how surely."""
    if found.gain is None or found.later_gain is None:
        return f"no trial of {found.model} is better than the untuned model"
    (gain, error), (later, later_error) = found.gain, found.later_gain
    said = (
        f"the best of {found.complete + found.pruned} trials of {found.model} has {100 * gain:+.3f} points of skill "
        f"(± {100 * error:.3f}) over the untuned model on the folds, and {100 * later:+.3f} "
        f"(± {100 * later_error:.3f}) later"
    )
    if found.better:
        return said
    if gain <= error:
        return f"{said}: not better by one standard error"
    return f"{said}: not better on the days that no trial saw"


def _gain(one: list[float], other: list[float]) -> Worth:
    return worth([a - b for a, b in zip(one, other, strict=True)])


def _later(objective: Objective, shared: Shared, trial: FrozenTrial) -> list[float]:
    """Return a trial's skill on each day that none saw; it is kept with the study."""
    key = f"{LATER} {trial.number}"
    if key not in shared.study.user_attrs:
        shared.study.set_user_attr(key, objective.later(trial.params))
    kept: list[float] = shared.study.user_attrs[key]
    return kept


def _importances(shared: Shared, complete: list[FrozenTrial]) -> dict[str, float]:
    """Return how much each parameter decided about being among the best (PED-ANOVA; Watanabe et al. 2023)."""
    if len(complete) < ENOUGH or len({trial.value for trial in complete}) < ENOUGH // 2:
        return {}
    with experimental():
        return get_param_importances(shared.study, evaluator=PedAnovaImportanceEvaluator())

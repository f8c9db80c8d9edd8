"""A study's result: its best trial against the untuned model, on the splits and on days that no trial used."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from math import inf
from typing import Any

from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from learning.tuning.later_check import LATER
from learning.tuning.mean_estimate import MeanEstimate, mean_estimate
from learning.tuning.objective import Objective
from learning.tuning.study import REASON, Shared, experimental, failed
from models import search_space
from models.search_space import Value

DAILY, RUN = "daily", "run_id"
"""User attributes of a trial and the study: skills by day, and the run in MLflow."""
ENOUGH = 10
"""The least number of trials for parameter importances."""


@dataclass(frozen=True, kw_only=True)
class TuningResult:
    """The study's trials by state, and skills as means over days with their standard errors.

    `gain` is the best trial's skill less the untuned model's, day by day: on the splits, by which it was selected, and
    `later`, by which it was not. None if the best is the untuned model. `parameters` are those of the best that
    differ from the untuned model's, `reasons` those of failed trials, `run_id` is the study's run in MLflow.
    """

    model: str
    study: str
    complete: int
    pruned: int
    failed: int
    parameters: dict[str, Value]
    untuned: MeanEstimate
    best: MeanEstimate
    gain: MeanEstimate | None
    later_untuned: MeanEstimate | None
    later_best: MeanEstimate | None
    later_gain: MeanEstimate | None
    importances: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    run_id: str | None = None

    @property
    def better(self) -> bool:
        """Return whether the best should be applied: better by a standard error on the splits, and not worse later."""
        if self.gain is None or self.later_gain is None:
            return False
        return self.gain.mean > self.gain.error and self.later_gain.mean > 0

    def numbers(self) -> dict[str, float]:
        """Return the figures by name."""
        result: dict[str, float] = {}
        for name in ("untuned", "best", "gain", "later_untuned", "later_best", "later_gain"):
            value: MeanEstimate | None = getattr(self, name)
            if value is not None:
                result |= {name: value.mean, f"{name}_error": value.error}
        return result | {"complete": self.complete, "pruned": self.pruned, "failed": self.failed}

    def to_json(self) -> dict[str, Any]:
        """Return all of it, as plain values."""
        return asdict(self) | {"better": self.better}


def tuning_result(
    objective: Objective, shared: Shared, on_message: Callable[[str], None] = lambda _: None
) -> TuningResult:
    """Return the study's present result; the days that no trial used are forecast once for each best trial.

    Raises ValueError with one line if the untuned model was not scored.
    """
    trials = shared.trials()
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    defaults = search_space.defaults(shared.space)
    untuned = next((trial for trial in complete if trial.params == defaults), None)
    reasons = Counter(str(trial.user_attrs[REASON]) for trial in trials if failed(trial))
    if untuned is None:
        why = next(iter(reasons), "no trial of it has ended yet")
        raise ValueError(f"the untuned model {objective.model.name!r} was not scored: {why}")
    best = max(complete, key=lambda trial: -inf if trial.value is None else trial.value)
    one, other = (mean_estimate(trial.user_attrs[DAILY]) for trial in (untuned, best))
    later: tuple[MeanEstimate | None, MeanEstimate | None, MeanEstimate | None] = (None, None, None)
    gain = None
    if best.params != defaults:
        gain = _gain(best.user_attrs[DAILY], untuned.user_attrs[DAILY])
        on_message("the days that no trial used")
        before, after = (_later(objective, shared, trial) for trial in (untuned, best))
        later = mean_estimate(before), mean_estimate(after), _gain(after, before)
    return TuningResult(
        model=objective.model.name,
        study=shared.name,
        complete=len(complete),
        pruned=sum(trial.state == TrialState.PRUNED for trial in trials),
        failed=sum(reasons.values()),
        parameters=search_space.tuned(objective.model.name, shared.space, best.params),
        untuned=one,
        best=other,
        gain=gain,
        later_untuned=later[0],
        later_best=later[1],
        later_gain=later[2],
        importances=_importances(shared, complete),
        reasons=dict(reasons),
        run_id=shared.study.user_attrs.get(RUN),
    )


def explained(result: TuningResult) -> str:
    """Return in one line whether the best is better than the untuned model, and how surely."""
    if result.gain is None or result.later_gain is None:
        return f"no trial of {result.model} is better than the untuned model"
    (gain, error), (later, later_error) = result.gain, result.later_gain
    text = (
        f"the best of {result.complete + result.pruned} trials of {result.model} has {100 * gain:+.3f} points of skill "
        f"(± {100 * error:.3f}) over the untuned model on the splits, and {100 * later:+.3f} "
        f"(± {100 * later_error:.3f}) later"
    )
    if result.better:
        return text
    if gain <= error:
        return f"{text}: not better by one standard error"
    return f"{text}: not better on the days that no trial used"


def _gain(one: list[float], other: list[float]) -> MeanEstimate:
    return mean_estimate([a - b for a, b in zip(one, other, strict=True)])


def _later(objective: Objective, shared: Shared, trial: FrozenTrial) -> list[float]:
    """Return a trial's skill on each day that none used; it is stored with the study."""
    key = f"{LATER} {trial.number}"
    if key not in shared.study.user_attrs:
        shared.study.set_user_attr(key, objective.later(trial.params))
    kept: list[float] = shared.study.user_attrs[key]
    return kept


def _importances(shared: Shared, complete: list[FrozenTrial]) -> dict[str, float]:
    """Return the importance of each parameter for being among the best (PED-ANOVA; Watanabe et al. 2023)."""
    if len(complete) < ENOUGH or len({trial.value for trial in complete}) < ENOUGH // 2:
        return {}
    with experimental():
        return get_param_importances(shared.study, evaluator=PedAnovaImportanceEvaluator())

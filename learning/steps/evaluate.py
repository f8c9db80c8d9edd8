"""Evaluate: the same models walked forward over the last part of the history, each split fitted on the data before
it."""

from collections.abc import Sequence

import numpy as np

from evaluation import walk_forward
from evaluation.output import write
from evaluation.progress import RemainingFits
from evaluation.results import BASELINE, Results
from evaluation.run import score_splits
from evaluation.splits import DAY, Split
from learning.runs.step_results import Evaluated, WalkForwardSkill
from learning.runs.work import Work
from learning.tracking.code_version import commit
from learning.tracking.log_evaluation import log_evaluation, log_model
from learning.tuning.mean_estimate import mean_estimate
from learning.tuning.objective import skill_by_day
from models.registry.model_registry import ServedClass, divided
from storage.errors import reason

FOLDS = 2
"""Each costs a training of every model."""
SHARE, MOST_DAYS = 1 / 3, 28
"""The tested part of the history, and its maximum in days."""


def evaluate(work: Work) -> None:
    """Score every fitted model against the naive one; one that fails in a split is left out and reported."""
    options, settings = work.lease.run.options, work.settings
    chosen = {name: work.classes[name] for name in work.fitted}
    splits = last_days(min(int(f.time[0]) for f in work.bars), max(int(f.time[-1]) for f in work.bars))
    code = [walk_forward.code_of(model) for model in chosen.values()]
    universe, tuned = sorted(settings.universe.items()), sorted(work.parameters.items())
    depends = (work.data(), splits, universe, tuned, sorted(chosen), code, options.seed)
    evaluated = work.once("evaluate", None, depends, Evaluated, lambda: _judge(work, chosen, splits))
    work.skills = evaluated.skills
    for name, error in evaluated.failed.items():
        work.failures.setdefault(name, f"evaluate: {error}")
        work.lease.failed("evaluate", name, error)


def last_days(first: int, last: int) -> list[Split]:
    """Return the splits over the last whole UTC days, each trained on all data before it.

    `first` and `last` are the times of the first and last bar (epoch ms). Raises ValueError if they are too close.
    """
    end = (last + 60_000) // DAY * DAY
    days = min(int((end - first) / DAY * SHARE), MOST_DAYS)
    if days < FOLDS:
        raise ValueError(f"{(last - first) / DAY:.1f} days of bars are too few to walk forward over: give more history")
    cuts = [end - days * DAY + days * split // FOLDS * DAY for split in range(FOLDS + 1)]
    return [Split(f"fold {number + 1}", first, cuts[number], cuts[number + 1]) for number in range(FOLDS)]


def daily_skill(results: Results, model: str) -> WalkForwardSkill:
    """Return a model's skill in pinball loss against the naive one: the mean over days, each the mean over horizons."""
    loss = results.baseline["pinball"]
    days = skill_by_day(-results.differences["pinball"][results.models.index(model)], loss)
    mean, error = mean_estimate(days)
    known = bool(np.isfinite(results.find(model, results.horizons[0], "pinball").value)) and np.isfinite(mean + error)
    return WalkForwardSkill(mean if known else None, error if known else None, len(days))


def _judge(work: Work, chosen: dict[str, ServedClass], splits: Sequence[Split]) -> Evaluated:
    settings, seed, folder = work.settings, work.lease.run.options.seed, work.folder / "evaluate"
    fitted, combiners = divided(chosen)
    names = list(fitted)
    failed: dict[str, str] = {}
    walked, pace = [], RemainingFits(names, len(splits), 1)
    for split in splits:
        work.on_message(f"{split.name}: features")
        prepared = walk_forward.prepare(work.bars, settings.universe, split, folder, seed)
        for name in [one for one in names if one not in failed]:
            try:
                walk_forward.run(prepared, {name: fitted[name]}, seed, 1, work.on_message, work.parameters, pace)
            except Exception as error:  # noqa: BLE001 - as in a training: it is this model's failure alone
                failed[name] = f"{split.name}: {reason(error)}"
                pace.given_up(name)
        walked.append(prepared.done())
        del prepared
    sound = tuple(name for name in names if name not in failed)
    results, weights = score_splits(walked, sound, combiners, seed, work.on_message)
    write(results, folder, commit(), f"foretick pipeline run --run-id {work.lease.run.run_id}", weights)
    with work.tracked("evaluate", "all") as run:
        log_evaluation(run, results, folder)
    for name in results.models:
        known = work.fitted[name].mlflow_run_id
        if known is not None and name != BASELINE:
            with work.tracker.run(name, "train", run_id=known) as run:
                log_model(run, results, name, splits)
    return Evaluated(
        [split.name for split in splits], {name: daily_skill(results, name) for name in results.models}, failed
    )

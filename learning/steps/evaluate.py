"""Evaluate: the same models walked forward over the last part of the history, each fold fitted on what lies before."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from evaluation import walk
from evaluation.folds import DAY, Fold
from evaluation.output import write
from evaluation.results import BASELINE, Results
from evaluation.run import judged
from learning.code import commit
from learning.log_evaluation import log_evaluation, log_model
from learning.objective import worth
from learning.results import Evaluated, Skill
from learning.work import Work
from models.combiner import Combination
from storage.errors import reason

FOLDS = 2
"""Each costs a training of every model."""
SHARE, MOST_DAYS = 1 / 3, 28
"""The part of the history that is tested on, and how many days that is at most."""


def evaluate(work: Work) -> None:
    """Judge every model that was fitted beside the naive one; one that fails in a fold is left out and reported."""
    options, settings = work.held.run.options, work.settings
    chosen = {name: work.classes[name] for name in work.fitted}
    folds = last_days(min(int(f.time[0]) for f in work.bars), max(int(f.time[-1]) for f in work.bars))
    code = [walk.code_of(model) for model in chosen.values()]
    universe, tuned = sorted(settings.universe.items()), sorted(work.parameters.items())
    depends = (work.data(), folds, universe, tuned, sorted(chosen), code, options.seed)
    found = work.once("evaluate", None, depends, Evaluated, lambda: _judge(work, chosen, folds))
    work.skills = found.skills
    for name, error in found.failed.items():
        work.failures.setdefault(name, f"evaluate: {error}")
        work.held.failed("evaluate", name, error)


def last_days(first: int, last: int) -> list[Fold]:
    """Return the folds over the last whole UTC days, each trained on all that lies before it.

    `first` and `last` are the times of the first and last bar (epoch ms). Raises ValueError where they are too near.
    """
    end = (last + 60_000) // DAY * DAY
    days = min(int((end - first) / DAY * SHARE), MOST_DAYS)
    if days < FOLDS:
        raise ValueError(f"{(last - first) / DAY:.1f} days of bars are too few to walk forward over: give more history")
    cuts = [end - days * DAY + days * fold // FOLDS * DAY for fold in range(FOLDS + 1)]
    return [Fold(f"fold {number + 1}", first, cuts[number], cuts[number + 1]) for number in range(FOLDS)]


def daily_skill(results: Results, model: str) -> Skill:
    """Return a model's skill in pinball loss against the naive one: the mean over days, each the mean over horizons."""
    loss = results.baseline["pinball"]
    days = (loss > 0).all(axis=0)
    gains = -results.differences["pinball"][results.models.index(model)][:, days] / loss[:, days]
    mean, error = worth(gains.mean(axis=0).tolist())
    known = bool(np.isfinite(results.find(model, results.horizons[0], "pinball").value)) and np.isfinite(mean + error)
    return Skill(mean if known else None, error if known else None, int(days.sum()))


def _judge(work: Work, chosen: dict[str, type[Any]], folds: Sequence[Fold]) -> Evaluated:
    settings, seed, folder = work.settings, work.held.run.options.seed, work.folder / "evaluate"
    names = [name for name, model in chosen.items() if not issubclass(model, Combination)]
    combiners = {name: model for name, model in chosen.items() if issubclass(model, Combination)}
    failed: dict[str, str] = {}
    walked = []
    for fold in folds:
        work.told(f"{fold.name}: features")
        prepared = walk.prepare(work.bars, settings.universe, fold, folder, seed)
        for name in [one for one in names if one not in failed]:
            try:
                walk.run(prepared, {name: chosen[name]}, seed, 1, work.told, work.parameters)
            except Exception as error:  # noqa: BLE001 - as in a training: it is this model's failure alone
                failed[name] = f"{fold.name}: {reason(error)}"
        walked.append(prepared.done())
        del prepared
    sound = tuple(name for name in names if name not in failed)
    results, weights = judged(walked, sound, combiners, seed, work.told)
    write(results, folder, commit(), f"foretick pipeline run --run-id {work.held.run.run_id}", weights)
    with work.tracked("evaluate", "all") as run:
        log_evaluation(run, results, folder)
    for name in results.models:
        known = work.fitted[name].mlflow_run_id
        if known is not None and name != BASELINE:
            with work.tracker.run(name, "train", run_id=known) as run:
                log_model(run, results, name, folds)
    return Evaluated(
        [fold.name for fold in folds], {name: daily_skill(results, name) for name in results.models}, failed
    )

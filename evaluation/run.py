"""One evaluation from bars to judgement: every fold walked, the combiners after them, and all of it judged."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from evaluation import walk
from evaluation.combine import combine
from evaluation.folds import Fold
from evaluation.judge import judge
from evaluation.results import Results, Weight
from evaluation.truth import at_horizons, joined_labels
from evaluation.walk import Model, Told, Walked
from features.frame import BarFrame, Floats
from models.combiner import Combination
from models.forecaster import Forecasts
from topics.records import HORIZONS

REGIME = "regime_"


def evaluate(
    bars: Sequence[BarFrame],
    universe: Mapping[str, float],
    folds: Sequence[Fold],
    models: Mapping[str, Model],
    combiners: Mapping[str, type[Combination]],
    folder: Path,
    seed: int,
    jobs: int = 1,
    told: Told = lambda _: None,
    horizons: tuple[int, ...] = HORIZONS,
) -> tuple[Results, list[Weight]]:
    """Return the judgement of all models, the first being the baseline, and the ensemble's weights by regime.

    All horizons are forecast, and those in `horizons` judged. What is done is kept below `folder`. Raises ValueError
    with one line where a model cannot be fitted.
    """
    walked = []
    for fold in folds:
        told(f"{fold.name}: features")
        prepared = walk.prepare(bars, universe, fold, folder, seed)
        walk.run(prepared, models, seed, jobs, told)
        walked.append(prepared.done())
        del prepared
    return judged(walked, tuple(models), combiners, seed, told, horizons)


def judged(
    walked: Sequence[Walked],
    models: tuple[str, ...],
    combiners: Mapping[str, type[Combination]],
    seed: int,
    told: Told = lambda _: None,
    horizons: tuple[int, ...] = HORIZONS,
) -> tuple[Results, list[Weight]]:
    """Return the judgement of models that have forecast the walked folds, the first being the baseline."""
    weights: list[Weight] = []
    for name, combiner in combiners.items():
        told(f"combining: {name}")
        found = combine(combiner, walked, models)
        if not weights:  # the first combiner's: those of one that knows the regimes
            weights = by_regime(walked, found, combiner, models)
    told("judging")
    labels, order = joined_labels([fold.labels for fold in walked])

    def forecasts() -> Iterator[tuple[str, Forecasts]]:
        for name in (*models, *combiners):
            found = walk.taken(walk.joined([fold.scored(name) for fold in walked]), order)
            yield name, Forecasts(*(getattr(found, part)[:, places] for part in walk.PARTS))

    places = [HORIZONS.index(horizon) for horizon in horizons]
    return judge(at_horizons(labels, places), forecasts(), seed), weights


def by_regime(
    walked: Sequence[Walked], weights: Sequence[Floats], combiner: type[Combination], models: tuple[str, ...]
) -> list[Weight]:
    """Return the mean weight of each expert while each state of the market was the likeliest."""
    names = walked[0].definition.names
    columns = [place for place, name in enumerate(names) if name.startswith(REGIME)]
    posterior = np.concatenate(
        [frame.values[frame.time >= fold.fold.cut][:, columns] for fold in walked for frame in fold.frames]
    )
    likeliest = np.where(np.isnan(posterior).any(axis=1), -1, np.argmax(np.nan_to_num(posterior), axis=1))
    experts = combiner(names).experts(models)
    every = np.concatenate(weights)
    found = []
    for place, column in enumerate(columns):
        rows = every[likeliest == place]
        for at, horizon in enumerate(HORIZONS if len(rows) else ()):
            for expert, weight in zip(experts, np.nanmean(rows[:, at], axis=0).tolist(), strict=True):
                found.append(Weight(names[column].removeprefix(REGIME), horizon, expert, weight))
    return found

"""One evaluation from bars to results: every split walked, the combiners after them, and all of it scored."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from evaluation import walk_forward
from evaluation.combine import combine
from evaluation.label_columns import at_horizons, joined_labels
from evaluation.progress import RemainingFits
from evaluation.results import Results, Weight
from evaluation.scorer import score_models
from evaluation.splits import Split
from evaluation.walk_forward import Model, OnMessage, WalkedSplit
from features.frame import BarFrame, Floats
from models.combine.combiner import Combination
from models.forecaster import Forecasts
from topics.records import HORIZONS

REGIME = "regime_"


def evaluate(
    bars: Sequence[BarFrame],
    universe: Mapping[str, float],
    splits: Sequence[Split],
    models: Mapping[str, Model],
    combiners: Mapping[str, type[Combination]],
    folder: Path,
    seed: int,
    jobs: int = 1,
    on_message: OnMessage = lambda _: None,
    horizons: tuple[int, ...] = HORIZONS,
) -> tuple[Results, list[Weight]]:
    """Return the results of all models, the first being the baseline, and the ensemble's weights by regime.

    All horizons are forecast, and those in `horizons` scored. Finished work is cached below `folder`. Raises ValueError
    with one line if a model cannot be fitted.
    """
    walked = []
    pace = RemainingFits(tuple(models), len(splits), jobs)
    for split in splits:
        on_message(f"{split.name}: features")
        prepared = walk_forward.prepare(bars, universe, split, folder, seed)
        walk_forward.run(prepared, models, seed, jobs, on_message, pace=pace)
        walked.append(prepared.done())
        del prepared
    return score_splits(walked, tuple(models), combiners, seed, on_message, horizons)


def score_splits(
    walked: Sequence[WalkedSplit],
    models: tuple[str, ...],
    combiners: Mapping[str, type[Combination]],
    seed: int,
    on_message: OnMessage = lambda _: None,
    horizons: tuple[int, ...] = HORIZONS,
) -> tuple[Results, list[Weight]]:
    """Return the results of models that have forecast the walked splits, the first being the baseline."""
    weights: list[Weight] = []
    for name, combiner in combiners.items():
        on_message(f"combining: {name}")
        result = combine(combiner, walked, models)
        if not weights:  # the first combiner's: those of one that uses the regimes
            weights = by_regime(walked, result, combiner, models)
    on_message("judging")
    labels, order = joined_labels([split.labels for split in walked])

    def forecasts() -> Iterator[tuple[str, Forecasts]]:
        for name in (*models, *combiners):
            result = walk_forward.take_rows(walk_forward.joined([split.scored(name) for split in walked]), order)
            yield name, Forecasts(*(getattr(result, part)[:, places] for part in walk_forward.PARTS))

    places = [HORIZONS.index(horizon) for horizon in horizons]
    return score_models(at_horizons(labels, places), forecasts(), seed), weights


def by_regime(
    walked: Sequence[WalkedSplit], weights: Sequence[Floats], combiner: type[Combination], models: tuple[str, ...]
) -> list[Weight]:
    """Return the mean weight of each expert while each regime was the likeliest."""
    names = walked[0].definition.names
    columns = [place for place, name in enumerate(names) if name.startswith(REGIME)]
    posterior = np.concatenate(
        [frame.values[frame.time >= split.split.cut][:, columns] for split in walked for frame in split.frames]
    )
    likeliest = np.where(np.isnan(posterior).any(axis=1), -1, np.argmax(np.nan_to_num(posterior), axis=1))
    experts = combiner(names).experts(models)
    every = np.concatenate(weights)
    results = []
    for place, column in enumerate(columns):
        rows = every[likeliest == place]
        for at, horizon in enumerate(HORIZONS if len(rows) else ()):
            for expert, weight in zip(experts, np.nanmean(rows[:, at], axis=0).tolist(), strict=True):
                results.append(Weight(names[column].removeprefix(REGIME), horizon, expert, weight))
    return results

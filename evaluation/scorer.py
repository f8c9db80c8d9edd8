"""Scores models on the same labels: one model's forecasts in memory at a time, with the baseline's losses."""

from collections.abc import Iterable, Iterator

import numpy as np

from evaluation import bootstrap, probability, significance
from evaluation.groups import Groups
from evaluation.intervals import METRICS as INTERVALS
from evaluation.labels import Labels
from evaluation.metrics import LOSSES, METRICS, Column, ordered, parts
from evaluation.results import BASELINE, Cell, Reliability, Results
from evaluation.significance import Comparison, Membership, Superiority
from evaluation.sum_metrics import Parts
from models.forecaster import Floats, Forecasts

COVERAGE = ("coverage_90", "coverage_50")


def score_models(labels: Labels, forecasts: Iterable[tuple[str, Forecasts]], seed: int) -> Results:
    """Return all metrics, tests and curves of the models, which come by name, the baseline first.

    The iterable may be a generator that loads one model's forecasts at a time. Raises ValueError with one line if
    the first model is not the baseline, a name comes twice, or forecasts are not of these rows and horizons.
    """
    groups = Groups(labels)
    lengths = {len(group.days) for group in groups.all}
    drawn = {days: bootstrap.draws(days, seed) for days in lengths if days >= bootstrap.FEWEST_DAYS}
    models: list[str] = []
    cells: list[Cell] = []
    reliability: list[Reliability] = []
    own: list[dict[str, Floats]] = []  # the baseline's losses, row by row, a horizon
    baseline = {loss: np.zeros((len(labels.horizons), len(groups.days))) for loss in LOSSES}
    differences: dict[str, list[Floats]] = {loss: [] for loss in LOSSES}
    for name, forecast in forecasts:
        _check(labels, name, forecast, models)
        models.append(name)
        for loss in LOSSES:
            differences[loss].append(np.zeros_like(baseline[loss]))
        for place, horizon in enumerate(labels.horizons):
            column = Column.of(labels, forecast, place)
            summed = parts(column)
            losses = {loss: summed[loss] for loss in LOSSES}
            if name == BASELINE:
                own.append(losses)
            for loss in LOSSES:
                # Rows without a forecast of the model count as the baseline's.
                differences[loss][-1][place] = groups.by_day(losses[loss] - own[place][loss])
                if name == BASELINE:
                    baseline[loss][place] = groups.by_day(losses[loss])
            cells += _cells(name, horizon, column, summed, groups, drawn)
            curve = probability.curve(column.p_up, column.realised)
            reliability += [Reliability(name, horizon, *point) for point in curve]
        del forecast, column, summed, losses  # before the next model's are loaded
    if not models:
        raise ValueError("no forecasts to score")
    stacked = {loss: np.stack(results) for loss, results in differences.items()}
    comparisons, memberships, superiority = _tests(stacked, models, labels.horizons, seed)
    return Results(
        models=tuple(models),
        horizons=labels.horizons,
        symbols=labels.symbols,
        seed=seed,
        rows=len(labels),
        start=int(labels.time.min()),
        end=int(labels.time.max()),
        cells=cells,
        comparisons=comparisons,
        memberships=memberships,
        superiority=superiority,
        reliability=reliability,
        days=groups.days,
        differences=stacked,
        baseline=baseline,
    )


def _tests(
    daily_losses: dict[str, Floats], models: list[str], horizons: tuple[int, ...], seed: int
) -> tuple[list[Comparison], list[Membership], list[Superiority]]:
    """Return what the tests say of each loss: each pair of models, the best set, and any against the baseline."""
    comparisons, memberships, superiority = [], [], []
    for loss, daily in daily_losses.items():
        comparisons += significance.compare(loss, daily, models, horizons)
        for place, horizon in enumerate(horizons):
            memberships += significance.confidence_set(loss, horizon, daily[:, place], models, seed)
            superiority.append(significance.superiority(loss, horizon, daily[:, place], models, BASELINE, seed))
    return comparisons, memberships, superiority


def _check(labels: Labels, name: str, forecasts: Forecasts, models: list[str]) -> None:
    if not models and name != BASELINE:
        raise ValueError(f"the first model is {name!r}; the others are compared with {BASELINE!r}, which comes first")
    if name in models:
        raise ValueError(f"model {name!r} comes twice")
    shape = (len(labels), len(labels.horizons))
    if forecasts.mean.shape != shape:
        raise ValueError(f"model {name!r} has forecasts of the shape {forecasts.mean.shape}, the labels {shape}")


def _cells(
    model: str, horizon: int, column: Column, summed: Parts, groups: Groups, drawn: dict[int, Floats]
) -> Iterator[Cell]:
    """Yield every metric of every group, then coverage in every cell."""
    by_day = groups.by_symbol_and_day(summed)
    for group in groups.all:
        daily = group.daily(by_day)
        total = {name: np.asarray(part.sum()) for name, part in daily.items()}
        resampled = bootstrap.resample(daily, drawn[len(group.days)]) if len(group.days) in drawn else None
        for name, metric in METRICS.items():
            bounds = bootstrap.UNKNOWN if resampled is None else bootstrap.interval(metric, resampled)
            yield Cell(model, horizon, name, group.month, group.symbol, "", float(metric(total)), *bounds)
        for name, value in ordered(column, group.rows):
            yield Cell(model, horizon, name, group.month, group.symbol, "", value, *bootstrap.UNKNOWN)
    needed = ("n_intervals", "inside_90", "inside_50")
    by_cell = groups.by_cell({name: summed[name] for name in needed})
    for name in COVERAGE:
        values = INTERVALS[name](by_cell)
        for (symbol, cell), value in zip(groups.cell_names(), values, strict=True):
            yield Cell(model, horizon, name, "", symbol, cell, float(value), *bootstrap.UNKNOWN)

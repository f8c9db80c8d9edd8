"""Judge models on the same labels: one model's forecasts in memory at a time, beside the baseline's losses."""

from collections.abc import Iterable, Iterator

import numpy as np

from evaluation import bootstrap, probability, significance
from evaluation.groups import Groups
from evaluation.intervals import METRICS as INTERVALS
from evaluation.labels import Labels
from evaluation.metrics import LOSSES, METRICS, Column, ordered, parts
from evaluation.results import BASELINE, Cell, Reliability, Results
from evaluation.sums import Parts
from models.forecaster import Floats, Forecasts

COVERAGE = ("coverage_90", "coverage_50")


def judge(labels: Labels, forecasts: Iterable[tuple[str, Forecasts]], seed: int) -> Results:
    """Return all metrics, tests and curves of the models, which come by name, the baseline first.

    The iterable may be a generator that loads one model's forecasts at a time. Raises ValueError with one line where
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
                # Where the model says nothing, it is taken to say what the baseline does.
                differences[loss][-1][place] = groups.by_day(losses[loss] - own[place][loss])
                if name == BASELINE:
                    baseline[loss][place] = groups.by_day(losses[loss])
            cells += _cells(name, horizon, column, summed, groups, drawn)
            curve = probability.curve(column.p_up, column.realised)
            reliability += [Reliability(name, horizon, *point) for point in curve]
        del forecast, column, summed, losses  # before the next model's are loaded
    if not models:
        raise ValueError("no forecasts to judge")
    stacked = {loss: np.stack(found) for loss, found in differences.items()}
    comparisons, memberships, superiority = [], [], []
    for loss, daily in stacked.items():
        comparisons += significance.compare(loss, daily, models, labels.horizons)
        for place, horizon in enumerate(labels.horizons):
            memberships += significance.confidence_set(loss, horizon, daily[:, place], models, seed)
            superiority.append(significance.superiority(loss, horizon, daily[:, place], models, BASELINE, seed))
    return Results(
        tuple(models),
        labels.horizons,
        labels.symbols,
        seed,
        len(labels),
        int(labels.time.min()),
        int(labels.time.max()),
        cells,
        comparisons,
        memberships,
        superiority,
        reliability,
        groups.days,
        stacked,
        baseline,
    )


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

"""Every metric of one model at one horizon: the table of the families, and what each sums."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluation import intervals, point, probability, rank_metrics, volatility
from evaluation.labels import Labels
from evaluation.sum_metrics import Metric, Parts
from models.forecaster import Floats, Forecasts

GAPPED = "_gapped"
"""The suffix of metrics with the position entered one bar late."""
LOSSES = ("squared", "squared_gapped", "pinball", "crps", "winkler", "qlike")
"""The losses compared day by day: each is the row's part of a metric, and less is better."""

Rows = slice | npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One model's forecasts of one horizon and the labels, each [n]; `traded` is `point.turnover`."""

    mean: Floats
    scale: Floats
    quantiles: Floats
    p_up: Floats
    realised: Floats
    gapped: Floats
    variance: Floats
    unit: Floats
    traded: Floats

    @classmethod
    def of(cls, labels: Labels, forecasts: Forecasts, place: int) -> "Column":
        """Return the horizon at this place."""
        mean = np.ascontiguousarray(forecasts.mean[:, place])
        return cls(
            mean=mean,
            scale=np.ascontiguousarray(forecasts.scale[:, place]),
            quantiles=np.ascontiguousarray(forecasts.quantiles[:, place].T).T,  # one level after the other
            p_up=np.ascontiguousarray(forecasts.p_up[:, place]),
            realised=np.ascontiguousarray(labels.realised[:, place]),
            gapped=np.ascontiguousarray(labels.gapped[:, place]),
            variance=np.ascontiguousarray(labels.variance[:, place]),
            unit=np.ascontiguousarray(labels.unit[:, place]),
            traded=point.turnover(mean, labels.symbol, labels.horizons[place]),
        )


def parts(column: Column) -> Parts:
    """Return what all metrics of `METRICS` sum."""
    gapped = point.parts(column.mean, column.gapped, column.unit, column.traded)
    return {
        **point.parts(column.mean, column.realised, column.unit, column.traded),
        **{name + GAPPED: part for name, part in gapped.items()},
        **probability.parts(column.p_up, column.realised),
        **volatility.parts(column.scale, column.variance),
        **intervals.parts(column.quantiles, column.realised, column.unit),
    }


def _late(metric: Metric) -> Metric:
    """Return the point metric over the parts whose position is entered one bar late."""
    return lambda sums: metric(
        {name.removesuffix(GAPPED): part for name, part in sums.items() if name.endswith(GAPPED)}
    )


METRICS: dict[str, Metric] = {
    **point.METRICS,
    **{name + GAPPED: _late(metric) for name, metric in point.METRICS.items()},
    **probability.METRICS,
    **volatility.METRICS,
    **intervals.METRICS,
}
"""The metrics that are functions of sums, and so have intervals by resampling days."""


def ordered(column: Column, rows: Rows) -> Iterator[tuple[str, float]]:
    """Yield the name and value of each metric that needs the rows' order, over some rows."""
    mean, unit = column.mean[rows], column.unit[rows]
    by_rank: tuple[tuple[str, Callable[[Floats, Floats, Floats], float]], ...] = (
        ("rank_ic", rank_metrics.rank_correlation),
        ("top_decile", rank_metrics.top_accuracy),
    )
    for name, metric in by_rank:
        yield name, metric(mean, column.realised[rows], unit)
        yield name + GAPPED, metric(mean, column.gapped[rows], unit)
    yield "calibration_slope", probability.slope(column.p_up[rows], column.realised[rows])

"""Lines: skill over time, and calibration of p_up. The best models have colours, the others are grey behind them."""

from html import escape

import numpy as np

from evaluation.display_columns import PERCENT, ahead
from evaluation.groups import DAY_MS
from evaluation.number_format import day, number
from evaluation.plots.colours import style
from evaluation.plots.svg import PlotArea, padded, tag, ticks, title
from evaluation.results import BASELINE, Results

COLOURS = 5
FINAL = "ensemble"
"""The model that is always in colour."""


def best(results: Results) -> list[str]:
    """Return the models in colour: the ensemble, then those whose R2 has the best mean rank over the horizons."""
    others = [model for model in results.models if model != BASELINE]
    values = np.array([[results.find(model, h, "r2").value for h in results.horizons] for model in others])
    values = np.where(np.isnan(values), -np.inf, values).reshape(len(others), len(results.horizons))
    place = (values[None] > values[:, None]).sum(axis=1).mean(axis=1)
    order = [others[index] for index in np.argsort(place, kind="stable")]
    first = [FINAL] if FINAL in others else []
    return (first + [model for model in order if model not in first])[:COLOURS]


def legend(models: list[str]) -> str:
    """Return the names beside their colours."""
    keys = [tag("li", tag("i", style=style(model)) + escape(model)) for model in models]
    return tag("ul", "".join(keys) + tag("li", tag("i", class_="other") + "the others"), class_="legend")


def skill(results: Results, horizon: int, coloured: list[str]) -> str:
    """Return what each model has gained on the baseline so far, in % of the baseline's whole squared error."""
    column = results.horizons.index(horizon)
    total = results.baseline["squared"][column].sum()
    gained = -PERCENT * np.cumsum(results.differences["squared"][:, column], axis=1) / (total if total > 0 else np.nan)
    days = results.days.astype(np.float64)
    ends = (float(days[0]) - 1.0, float(days[-1]))
    frame = PlotArea(
        width=560, height=300, left=48, top=8, right=22, bottom=28, x=ends, y=padded(gained.ravel().tolist(), 0.0)
    )
    marks = [(d, day(int(d) * DAY_MS)[5:]) for d in np.linspace(days[0], days[-1], 5).round().tolist()]
    drawn = [
        frame.lines([(t, number(t, _places(frame))) for t in ticks(*frame.y)]),
        frame.columns(marks, grid=False),
    ]
    drawn.append(frame.path([(ends[0], 0.0), (ends[1], 0.0)], "zero"))
    for model in _behind_first(results, coloured):
        values = gained[results.models.index(model)]
        points = [(ends[0], 0.0), *zip(days.tolist(), values.tolist(), strict=True)]
        words = f"{model}: {number(float(values[-1]), 2)} %"
        drawn.append(frame.path(points, *_look(model, coloured), words))
    return frame.figure(f"{ahead(horizon)}: squared error saved so far, % of naive's", *drawn)


def calibration(results: Results, horizon: int, coloured: list[str]) -> str:
    """Return the share of rises against p_up, in tenths of the rows; the diagonal is calibrated."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for reliability in results.reliability:
        if reliability.horizon == horizon:
            curves.setdefault(reliability.model, []).append((PERCENT * reliability.p_up, PERCENT * reliability.rose))
    both = [value for points in curves.values() for point in points for value in point]
    ends = padded(both, 48.0, 52.0)
    frame = PlotArea(width=560, height=340, left=48, top=8, right=14, bottom=28, x=ends, y=ends)
    marks = [(t, number(t, _places(frame))) for t in ticks(*ends)]
    drawn = [frame.lines(marks), frame.columns(marks), frame.path([(ends[0], ends[0]), (ends[1], ends[1])], "zero")]
    for model in _behind_first(results, coloured):
        points = curves.get(model, [])
        class_, own = _look(model, coloured)
        drawn.append(frame.path(points, class_, own, model))
        if model in coloured or len(points) == 1:
            drawn += [
                tag("circle", title(model), cx=frame.across(x), cy=frame.up(y), r=3, class_=f"dot {class_}", style=own)
                for x, y in points
            ]
    return frame.figure(f"{ahead(horizon)}: share that rose against p_up, %", *drawn)


def _behind_first(results: Results, coloured: list[str]) -> list[str]:
    """Return the models in the order of drawing: the grey ones, then the best last."""
    grey = [model for model in results.models if model not in coloured and model != BASELINE]
    return grey + coloured[::-1]


def _look(model: str, coloured: list[str]) -> tuple[str, str]:
    return ("line", style(model)) if model in coloured else ("other", "")


def _places(frame: PlotArea) -> int:
    height = frame.y[1] - frame.y[0]
    return 0 if height > 8 else 1 if height > 0.8 else 2

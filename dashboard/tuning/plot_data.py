"""The columns of the plots of studies; none has more rows than a plot can show, whatever the number of trials."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.palettes import Cividis256
from bokeh.plotting.contour import contour_data

from dashboard.thinning import Rows, envelope, evenly
from learning.tuning.study_table import FINISHED, STATES, Floats, Parameter, StudyTable

Columns = dict[str, Any]
MOST_POINTS = 1_500
MOST_BEST = 200
MOST_LINES = 200
MOST_DOTS = 250
MOST_BARS = 150
CELLS = 40
"""The cells of the contour's grid on each axis."""
SMOOTH = 1.5
"""The standard deviation of the contour's kernel, in cells."""
LEVELS = 9
FEWEST = 10
PALE = 70
"""The shades of the palette that a dark ground swallows; half as many of the other end are pale on a light one."""
JITTER = 0.25
"""How far from its choice a trial is drawn at most, so that those of one choice do not hide each other."""


def history(table: StudyTable) -> tuple[Columns, Columns]:
    """Return the complete trials by number, and the best so far wherever it changed and at the end."""
    rows = np.flatnonzero(table.complete)
    number, value = table.number[rows].astype(np.float64), table.value[rows]
    kept = envelope(number, value, MOST_POINTS)
    so_far = np.maximum.accumulate(table.goodness[rows]) if len(rows) else np.empty(0)
    steps = np.flatnonzero(np.diff(so_far, prepend=-np.inf) > 0)
    if len(rows):
        steps = np.unique(np.append(steps, len(rows) - 1))
    sign = 1.0 if table.summary.maximize else -1.0
    return {"number": number[kept], "value": value[kept]}, {"number": number[steps], "value": sign * so_far[steps]}


def distribution(table: StudyTable) -> Columns:
    """Return which share of the complete trials has at most a value."""
    values = np.sort(table.value[table.complete])
    kept = evenly(np.arange(len(values)), MOST_POINTS // 5)
    return {"value": values[kept], "share": (kept + 1) / max(len(values), 1)}


def place(parameter: Parameter, values: Floats | None = None) -> Floats:
    """Return a parameter's values as they are placed on an axis: those drawn from a logarithm as powers of ten."""
    values = parameter.values if values is None else values
    return np.log10(values) if parameter.log else values


def bounds(parameter: Parameter) -> tuple[float, float]:
    """Return the ends of a parameter's axis."""
    low, high = place(parameter, np.array([parameter.low, parameter.high]))
    if parameter.choices:
        return float(low) - 0.5, float(high) + 0.5
    return float(low), float(high if high > low else low + 1.0)


def spread(parameter: Parameter, rows: Rows) -> Floats:
    """Return where trials are drawn on a parameter's axis: those of a choice beside each other."""
    at = place(parameter)[rows]
    return at + JITTER * (2 * (rows * 0.6180339887 % 1) - 1) if parameter.choices else at


def written(parameter: Parameter, value: float) -> str:
    """Return a parameter's value in words, or with four digits."""
    if np.isnan(value):
        return "\u2013"
    return parameter.choices[int(value)] if parameter.choices else f"{value:.4g}"


def ramp(share: Floats, dark: bool) -> list[str]:
    """Return the colour of each share from 0 (worst) to 1 (best), which stands out from the ground."""
    shades = np.array(Cividis256[PALE:] if dark else Cividis256[-PALE // 2 :: -1])
    return shades[np.clip(share * len(shades), 0, len(shades) - 1).astype(np.int64)].tolist()  # type: ignore[no-any-return] # a list of text, by what is put in


def ranks(table: StudyTable, rows: Rows) -> Floats:
    """Return the share of all complete trials that each of the rows is at least as good as."""
    ordered = np.sort(table.goodness[table.complete])
    return np.searchsorted(ordered, table.goodness[rows], side="right") / max(len(ordered), 1)


def chosen(table: StudyTable, *names: str) -> Rows:
    """Return the rows of complete trials that have these parameters: the best, and others evenly spread over time."""
    known = table.complete.copy()
    for name in names:
        known &= np.isfinite(table.parameters[name].values)
    rows = np.flatnonzero(known)
    best = [row for row in table.best_first()[:MOST_BEST].tolist() if known[row]]
    return np.unique(np.concatenate([evenly(rows, MOST_POINTS), np.array(best, dtype=np.int64)]))


def points(table: StudyTable, x: str, y: str | None, dark: bool) -> Columns:
    """Return trials by one parameter and the value, or by two parameters; the best are drawn last."""
    rows = chosen(table, x, *([y] if y else []))
    rank = ranks(table, rows)
    rows, rank = rows[np.argsort(rank, kind="stable")], np.sort(rank, kind="stable")
    across = table.parameters[x]
    up = table.parameters[y] if y else None
    return {
        "x": spread(across, rows),
        "y": table.value[rows] if up is None else spread(up, rows),
        "value": table.value[rows],
        "number": table.number[rows],
        "rank": 100 * (1 - rank),
        "colour": ramp(rank, dark),
        "x_text": [written(across, value) for value in across.values[rows]],
        "y_text": [] if up is None else [written(up, value) for value in up.values[rows]],
    } | ({} if up is not None else {"y_text": [f"{value:.4g}" for value in table.value[rows]]})


def few(columns: Columns) -> Columns:
    """Return so few of the trials that areas behind them are seen."""
    rows = evenly(np.arange(len(columns["x"])), MOST_DOTS)
    return {name: [column[row] for row in rows] for name, column in columns.items()}


def contour(table: StudyTable, x: str, y: str, dark: bool) -> Columns:
    """Return the areas of like value over two parameters, by the kernel mean of all complete trials.

    No area is drawn where there are next to no trials. Empty with fewer than `FEWEST` trials.
    """
    nothing: Columns = {"xs": [], "ys": [], "colour": [], "from": [], "to": []}
    across, up = table.parameters[x], table.parameters[y]
    known = table.complete & np.isfinite(across.values) & np.isfinite(up.values)
    if known.sum() < FEWEST or x == y:
        return nothing
    ends = (bounds(across), bounds(up))
    rows = np.flatnonzero(known)
    at = (spread(across, rows), spread(up, rows))
    count, *edges = np.histogram2d(*at, bins=CELLS, range=ends)
    total, *_ = np.histogram2d(*at, bins=CELLS, range=ends, weights=table.value[rows])
    weight = _smoothed(count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(weight > 0.02 * weight.max(), _smoothed(total) / weight, np.nan)
    levels = np.unique(np.nanquantile(mean, np.linspace(0, 1, LEVELS)))
    if len(levels) < 3:
        return nothing
    levels[-1] += 1e-9 * max(abs(levels[-1]), 1e-9)
    middles = [(edge[:-1] + edge[1:]) / 2 for edge in edges]
    fill = contour_data(middles[0], middles[1], np.ma.masked_invalid(mean.T), levels, want_line=False).fill_data
    if fill is None:
        return nothing
    share = np.linspace(0, 1, len(levels) - 1)
    return {
        "xs": fill.xs,
        "ys": fill.ys,
        "colour": ramp(share if table.summary.maximize else share[::-1], dark),
        "from": levels[:-1],
        "to": levels[1:],
    }


def _smoothed(cells: Floats) -> Floats:
    """Return the cells smoothed by a Gaussian along both axes."""
    reach = np.arange(-4, 5)
    kernel = np.exp(-0.5 * (reach / SMOOTH) ** 2)
    for axis in (0, 1):
        cells = np.apply_along_axis(np.convolve, axis, cells, kernel, mode="same")
    return cells


def parallel(table: StudyTable, names: Sequence[str], top: int, dark: bool) -> Columns:
    """Return a line over the parameters' axes for each of the best trials, `top` % of them; the best are drawn last."""
    best = table.best_first()
    count = max(1, round(len(best) * top / 100)) if len(best) else 0
    rows = best[evenly(np.arange(count), MOST_LINES)][::-1]
    axes = [_share(table.parameters[name])[rows] for name in names]
    axes.append(_between(table.value[rows]))
    heights = np.array(axes).T if len(rows) else np.empty((0, len(axes)))
    within = np.linspace(0, 1, len(rows)) if len(rows) > 1 else np.ones(len(rows))
    return {
        "xs": [list(range(len(axes)))] * len(rows),
        "ys": [line.tolist() for line in heights],
        "colour": ramp(within, dark),
        "number": table.number[rows],
        "value": table.value[rows],
    } | {name: [written(table.parameters[name], one) for one in table.parameters[name].values[rows]] for name in names}


def _share(parameter: Parameter) -> Floats:
    low, high = place(parameter, np.array([parameter.low, parameter.high]))
    share: Floats = (place(parameter) - low) / ((high - low) or 1.0)
    return share


def _between(values: Floats) -> Floats:
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    return np.full(len(values), 0.5) if high == low else (values - low) / (high - low)


def timeline(table: StudyTable, now: float) -> Columns:
    """Return when each of the last trials ran (epoch ms), those that run until `now` (epoch s); and their states."""
    rows = np.flatnonzero(np.isfinite(table.start))[-MOST_BARS:]
    end = np.where(np.isfinite(table.end[rows]), table.end[rows], now)
    return {
        "start": table.start[rows] * 1_000,
        "end": end * 1_000,
        "number": table.number[rows],
        "state": [STATES[state].lower() for state in table.state[rows]],
        "seconds": [f"{seconds:.1f} s" for seconds in end - table.start[rows]],
        "ended": [STATES[state] in FINISHED for state in table.state[rows]],
    }

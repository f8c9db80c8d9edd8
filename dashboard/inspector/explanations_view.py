"""What moved a version's forecasts: SHAP values or their like over many rows, one input in detail, attention."""

from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
from bokeh.models.layouts import LayoutDOM
from bokeh.models.mappers import LinearColorMapper
from bokeh.models.ranges import Range1d
from bokeh.models.sources import ColumnDataSource
from bokeh.transform import transform

from dashboard.html import Html, moment_at, title
from dashboard.inspector.cards import card, clipped, plot, ramp
from dashboard.inspector.page_text import sentence
from dashboard.palette import Palette
from dashboard.sheets import sheet
from dashboard.side_plot import hover
from dashboard.time_axis import moment as moment_tip
from models.explain.summary import Summary
from models.structure import ahead

Floats = npt.NDArray[np.float64]

TOP = 15
ROW_PX = 30
BINS = 60
REACH = 0.38
QUANTITIES = {
    "mean": "of the mean in units of sigma sqrt(h)",
    "log variance": "of the log of the variance over sigma² h",
}


def swarm(values: Floats, low: float, high: float) -> Floats:
    """Return by how much each point [n] is moved off its line, so that points of about one value lie side by side.

    Alternately up and down from the middle, within +- `REACH`, the more of them the closer.
    """
    bins = np.clip(((values - low) / max(high - low, 1e-300) * BINS).astype(np.int64), 0, BINS - 1)
    offsets = np.zeros(len(values))
    fullest = max(int(np.bincount(bins).max()), 1) if len(values) else 1
    for which in np.unique(bins):
        rows = np.flatnonzero(bins == which)
        order = np.arange(len(rows))
        sides = np.where(order % 2 == 0, 1.0, -1.0) * ((order + 1) // 2)
        offsets[rows] = sides * min(1.0, 2 * REACH / fullest)
    return offsets


def ranks(values: list[float | None]) -> Floats:
    """Return the place of each value among all, from 0 to 1; NaN where it is unknown."""
    known = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    there = ~np.isnan(known)
    result = np.full(len(known), np.nan)
    if there.any():
        _, place = np.unique(known[there], return_inverse=True)
        result[there] = place / max(place.max(), 1)
    return result


def summary_card(summary: Summary, palette: Palette) -> LayoutDOM:
    """Return the contributions of the largest inputs, a dot for each explained row."""
    unit = f"{ahead([summary.horizon])[0]}, {QUANTITIES[summary.quantity]}"
    count = min(TOP, len(summary.inputs))
    low, high = min(map(min, summary.parts[:count])), max(map(max, summary.parts[:count]))
    room = 0.04 * max(high - low, 1e-12)
    made = plot(
        "summary",
        ROW_PX * count + 50,
        y_range=Range1d(start=count - 0.4, end=-0.6),
        x_range=Range1d(start=low - room, end=high + room),
    )
    columns: dict[str, Any] = {name: [] for name in ("x", "y", "name", "value", "rank", "time")}
    for row in range(count):
        added = np.array(summary.parts[row])
        columns["x"] += added.tolist()
        columns["y"] += (row + swarm(added, low, high)).tolist()
        columns["name"] += [summary.inputs[row]] * len(added)
        columns["value"] += [float("nan") if value is None else value for value in summary.values[row]]
        columns["rank"] += ranks(summary.values[row]).tolist()
        columns["time"] += summary.times
    colours = ramp(palette.hit, palette.volume, palette.miss)
    mapper = LinearColorMapper(palette=colours, low=0, high=1, nan_color=palette.muted)
    dots = made.scatter(
        "x", "y", source=ColumnDataSource(columns), size=5, color=transform("rank", mapper), fill_alpha=0.8
    )
    columns_told = {"name": "input", "time": "bar [UTC]", "value": "value of the input", "x": "contribution"}
    sheet(made, dots.data_source, columns_told)
    made.yaxis.ticker = list(range(count))
    made.yaxis.major_label_overrides = {row: clipped(summary.inputs[row], 26) for row in range(count)}
    made.ygrid.visible = False
    made.xaxis.axis_label = f"contribution {QUANTITIES[summary.quantity]}"
    rows = {"contribution": "@x{0.00000}", "input": "@value{0.0000}"}
    hover(made, [dots], "@name, @time{custom}", rows, formatters={"@time": moment_tip()})
    legend = {"low input": palette.hit, "middle": palette.volume, "high": palette.miss, "unknown": palette.muted}
    how = Html(
        f"{len(summary.times)} bars of {escape(summary.symbol)} ({escape(summary.interval)}), "
        f"{moment_at(summary.times[0])} to {moment_at(summary.times[-1])}. Trees by SHAP values, "
        "linear models by coefficient times input, networks by "
        "integrated gradients."
    )
    return card(title("What moved the forecasts", unit, legend), sentence(how), made, wide=True)


def size_card(summary: Summary, palette: Palette, anew: LayoutDOM) -> LayoutDOM:
    """Return the mean size of each input's contribution, and the button that explains newer bars."""
    names = summary.inputs[:TOP][::-1]
    sizes = summary.sizes[:TOP][::-1]
    short = [clipped(name, 26) for name in names]
    ticks = short if len(set(short)) == len(short) else names
    made = plot("sizes", 17 * len(ticks) + 48, y_range=ticks, x_range=(0, 1.05 * max(*sizes, 1e-12)))
    data: dict[str, Any] = {"label": ticks, "name": names, "size": sizes}
    bars = made.hbar(y="label", right="size", height=0.72, source=ColumnDataSource(data), color=palette.hit)
    made.ygrid.visible = False
    made.xaxis.axis_label = "mean size of the contribution"
    sheet(made, bars.data_source, {"name": "input", "size": "mean size of the contribution"})
    hover(made, [bars], "@name", {"mean size": "@size{0.00000}"})
    return card(title("Mean size of the contributions", f"{summary.left_out} smaller inputs are left out"), made, anew)


def dependence_card(summary: Summary, name: str, palette: Palette) -> LayoutDOM:
    """Return one input's contribution by its value."""
    place = summary.inputs.index(name) if name in summary.inputs else 0
    name, values = summary.inputs[place], summary.values[place]
    known = [row for row, value in enumerate(values) if value is not None]
    if not known:
        text = "Its contributions are sums over a whole window of bars: it has no single value to be drawn against."
        return card(title("Dependence", name), sentence(text))
    made = plot("dependence", 320)
    data: dict[str, Any] = {
        "value": [values[row] for row in known],
        "part": [summary.parts[place][row] for row in known],
        "time": [summary.times[row] for row in known],
    }
    dots = made.scatter("value", "part", source=ColumnDataSource(data), size=5, color=palette.hit, fill_alpha=0.6)
    sheet(
        made, dots.data_source, {"time": "bar [UTC]", "value": f"{name}, as the model sees it", "part": "contribution"}
    )
    made.xaxis.axis_label, made.yaxis.axis_label = f"{name}, as the model sees it", "contribution"
    rows = {"contribution": "@part{0.00000}", "input": "@value{0.0000}"}
    hover(made, [dots], "@time{custom}", rows, formatters={"@time": moment_tip()})
    return card(title("Dependence", name), made)


def attention_cards(summary: Summary, palette: Palette) -> list[LayoutDOM]:
    """Return where a network looked at the newest bar; none for a model without attention."""
    if not summary.looked:
        return []
    names, shares = [name for name, _ in summary.looked], [share for _, share in summary.looked]
    made = plot("looked", 22 * len(names) + 44, y_range=names[::-1], x_range=(0, 1.05 * max(shares)))
    bars = made.hbar(
        y="name",
        right="share",
        height=0.72,
        source=ColumnDataSource({"name": names, "share": shares}),
        color=palette.hit,
    )
    made.ygrid.visible = False
    made.xaxis.axis_label = "share of the attention"
    sheet(made, bars.data_source, {"name": "what", "share": "attention [share]"})
    hover(made, [bars], "@name", {"share": "@share{0.0 %}"})
    result: list[LayoutDOM] = [card(title("Where it looked", Html(f"at the bar of {moment_at(summary.newest)}")), made)]
    for name, values in summary.attention.items():
        maps = np.array(values, dtype=np.float64)
        if maps.size:
            result.append(_map(name, maps, summary, palette))
    return result


def _map(name: str, maps: Floats, summary: Summary, palette: Palette) -> LayoutDOM:
    """Return one attention map [heads, asking, T] or [T] as a grid, heads one below the other."""
    grid = maps.reshape(-1, maps.shape[-1])
    heads, asking = (maps.shape[0], maps.shape[1]) if maps.ndim == 3 else (1, 1)
    rows, tokens = grid.shape
    made = plot(
        f"attention_{name}",
        max(14 * rows, 60) + 50,
        y_range=Range1d(start=rows - 0.5, end=-0.5),
        x_range=Range1d(start=-0.5, end=tokens - 0.5),
    )
    data: dict[str, Any] = {
        "x": np.tile(np.arange(tokens), rows),
        "y": np.repeat(np.arange(rows), tokens),
        "weight": grid.ravel(),
        "head": np.repeat(np.arange(rows) // asking + 1, tokens),
        "asking": np.repeat(np.arange(rows) % asking + 1, tokens),
        "token": np.tile(np.arange(tokens) + 1, rows),
    }
    mapper = LinearColorMapper(palette=ramp(palette.card, palette.hit_area, palette.hit), low=0, high=float(grid.max()))
    cells = made.rect(
        "x", "y", 1, 1, source=ColumnDataSource(data), fill_color=transform("weight", mapper), line_color=None
    )
    shown = {"head": "head", "asking": "asking token", "token": "token", "weight": "weight"}
    sheet(made, cells.data_source, shown)
    made.grid.visible = False
    middles = [head * asking + (asking - 1) / 2 for head in range(heads)]
    made.yaxis.ticker = middles
    made.yaxis.major_label_overrides = {tick: f"head {head + 1}" for head, tick in enumerate(middles)}
    made.yaxis.visible = heads > 1
    what = (
        "bar of the window, the newest last"
        if tokens > 20
        else "patch of bars, the newest last; then the bar's own features"
    )
    made.xaxis.axis_label = what
    made.xaxis.ticker = [*range(0, tokens, max(1, tokens // 8))]
    made.xaxis.major_label_overrides = {place: str(place + 1) for place in range(tokens)}
    hover(made, [cells], "weight @weight{0.000}", {"head": "@head", "asking token": "@asking", "token": "@token"})
    legend = {"0": palette.card, f"{grid.max():.2f}": palette.hit}
    unit = Html(f"{escape(name)}, at the bar of {moment_at(summary.newest)}")
    return card(title("Attention", unit, legend), made)

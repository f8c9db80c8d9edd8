"""A network's graph of layers, and the distributions of its weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models.layouts import LayoutDOM
from bokeh.models.ranges import Range1d
from bokeh.models.sources import ColumnDataSource
from bokeh.plotting import figure

from dashboard.html import title
from dashboard.inspector.cards import bare, card, clipped, plot
from dashboard.inspector.graph import edges, placed
from dashboard.inspector.page_text import number, sentence, table
from dashboard.palette import Palette
from dashboard.sheets import sheet
from dashboard.side_plot import hover
from models.structure import Layer, Weights

ROW_PX = 58
BOX_WIDTH, BOX_HEIGHT = 0.86, 0.56
LEAST_WIDTH = 150
RIDGE_PX = 26
RIDGE = 0.9


def graph(layers: Sequence[Layer], palette: Palette) -> LayoutDOM:
    """Return the architecture, from the inputs at the top to the output."""
    places = placed(layers)
    rows = max(place.row for place in places.values()) + 1
    reach = max(abs(place.x) for place in places.values()) + 0.5
    made = plot(
        "architecture",
        ROW_PX * rows,
        x_range=Range1d(start=-reach, end=reach + 0.35),
        y_range=Range1d(start=rows - 0.5, end=-0.5),
        styles={"min-width": f"{LEAST_WIDTH * (2 * reach + 0.35):.0f}px"},
    )
    bare(made)
    _edges(made, layers, palette)
    data: dict[str, Any] = {
        "x": [places[layer.name].x for layer in layers],
        "y": [float(places[layer.name].row) for layer in layers],
        "name": [layer.name for layer in layers],
        "short": [clipped(layer.name, 18) for layer in layers],
        "about": [_about(layer) for layer in layers],
        "kind": [layer.kind for layer in layers],
        "shape": [shape(layer.shape) for layer in layers],
        "count": [f"{layer.parameters:,}" for layer in layers],
        "takes": [", ".join(layer.takes) or "nothing" for layer in layers],
        "line": [palette.hit if layer.parameters else palette.muted for layer in layers],
    }
    boxes = made.rect(
        "x",
        "y",
        width=BOX_WIDTH,
        height=BOX_HEIGHT,
        source=ColumnDataSource(data),
        fill_color=palette.card,
        line_color="line",
        line_width=1.4,
    )
    look: dict[str, Any] = {"source": ColumnDataSource(data), "text_align": "center", "text_font_size": "11px"}
    made.text("x", "y", "short", y_offset=-2, text_color=palette.ink, text_font_style="bold", **look)
    made.text("x", "y", "about", y_offset=12, text_color=palette.muted, **look)
    shown = {"name": "layer", "kind": "kind", "shape": "output", "count": "parameters", "takes": "takes"}
    sheet(made, boxes.data_source, shown)
    rows_of_tip = {"kind": "@kind", "output": "@shape", "parameters": "@count", "takes": "@takes"}
    hover(made, [boxes], "@name", rows_of_tip)
    legend = {"with parameters": palette.hit, "without": palette.muted}
    how = (
        "Shapes are of one row. A dashed line goes past the layers between; where it begins above a layer, the sum "
        "that this layer takes is carried on around it."
    )
    total = f"{sum(layer.parameters for layer in layers):,} parameters"
    return card(title("Architecture", total, legend), sentence(how), made, wide=True)


def _about(layer: Layer) -> str:
    kind = layer.kind if len(layer.kind) <= 10 else "input"
    return f"{kind}  {shape(layer.shape)}" + (f"  {layer.parameters:,}" if layer.parameters else "")


def shape(sizes: Sequence[int]) -> str:
    """Return a shape in words.

    >>> shape([64, 14])
    '64 x 14'
    """
    return " x ".join(map(str, sizes)) or "one number"


def _edges(made: figure, layers: Sequence[Layer], palette: Palette) -> None:
    places, half = placed(layers), BOX_HEIGHT / 2
    for way, dash in (("direct", "solid"), ("past", [4, 3]), ("sum", [4, 3])):
        chosen = [edge for edge in edges(layers) if edge.way == way]
        begin = [
            (places[edge.source].x, places[edge.source].row + (-half - 0.1 if way == "sum" else half))
            for edge in chosen
        ]
        end = [(places[edge.target].x, places[edge.target].row - half) for edge in chosen]
        aside = 0.0 if way == "direct" else 0.9  # out of the column, around the boxes between
        made.bezier(
            x0=[x for x, _ in begin],
            y0=[y for _, y in begin],
            x1=[x for x, _ in end],
            y1=[y for _, y in end],
            cx0=[x + aside for x, _ in begin],
            cy0=[y + 0.25 for _, y in begin],
            cx1=[x + aside for x, _ in end],
            cy1=[y - 0.25 for _, y in end],
            line_color=palette.volume,
            line_width=1.3,
            line_dash=dash,
        )


def distributions(weights: Sequence[Weights], palette: Palette) -> LayoutDOM:
    """Return a ridge for each tensor: the density of its numbers, each as high as its own peak."""
    names = [one.name for one in weights][::-1]
    lowest, highest = min(one.edges[0] for one in weights), max(one.edges[-1] for one in weights)
    made = plot(
        "weights",
        RIDGE_PX * len(weights) + 60,
        y_range=Range1d(start=-0.3, end=len(weights) + RIDGE),
        x_range=Range1d(start=lowest - 0.02 * (highest - lowest), end=highest + 0.02 * (highest - lowest)),
    )
    xs, ys = [], []
    for row, one in enumerate(weights[::-1]):
        density = np.array(one.counts) / np.maximum(np.diff(one.edges), 1e-12)
        height = RIDGE * density / max(density.max(), 1e-12)
        xs.append(np.repeat(one.edges, 2))
        ys.append(row + np.concatenate([[0.0], np.repeat(height, 2), [0.0]]))
    rows = weights[::-1]
    data: dict[str, Any] = {
        "xs": xs,
        "ys": ys,
        "name": names,
        "shape": [shape(one.shape) for one in rows],
        "mean": [number(one.mean) for one in rows],
        "deviation": [number(one.deviation) for one in rows],
    }
    ridges = made.patches(
        "xs", "ys", source=ColumnDataSource(data), fill_color=palette.hit, fill_alpha=0.35, line_color=palette.hit
    )
    bins: dict[str, Any] = {
        "name": [one.name for one in weights],
        "low": [one.edges[:-1] for one in weights],
        "high": [one.edges[1:] for one in weights],
        "count": [one.counts for one in weights],
    }
    shown = {"name": "tensor", "low": "from weight", "high": "to weight", "count": "weights"}
    sheet(made, ColumnDataSource(bins), shown)
    made.yaxis.ticker = list(range(len(weights)))
    made.yaxis.major_label_overrides = {row: clipped(name, 26) for row, name in enumerate(names)}
    made.ygrid.visible = False
    made.xaxis.axis_label = "weight"
    hover(made, [ridges], "@name", {"shape": "@shape", "mean": "@mean", "standard deviation": "@deviation"})
    return card(
        title("Distribution of the weights", "each as high as its peak"),
        sentence("Those of the epoch with the least loss on the rows held out."),
        made,
    )


def layer_table(layers: Sequence[Layer]) -> LayoutDOM:
    """Return the layers in figures."""
    rows = [[layer.name, layer.kind, shape(layer.shape), f"{layer.parameters:,}"] for layer in layers]
    return card(title("Layers", "in the order of a pass"), table(["layer", "kind", "output", "parameters"], rows))

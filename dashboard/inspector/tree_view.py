"""One tree of a boosted model, and which inputs its splits gained most by."""

from typing import Any

import numpy as np
from bokeh.models.layouts import LayoutDOM
from bokeh.models.ranges import Range1d
from bokeh.models.sources import ColumnDataSource

from dashboard.html import title
from dashboard.inspector.cards import bare, card, clipped, plot
from dashboard.inspector.graph import tree_places
from dashboard.inspector.page_text import facts, number, sentence
from dashboard.palette import Palette
from dashboard.sheets import sheet
from dashboard.side_plot import hover
from models.structure import Forest, Tree

LEAF_PX = 24
LEVEL_PX = 160
TOP = 20
ZERO = 1e-30
"""LightGBM writes a threshold of zero as 1e-35."""
ROW_PX = 17


def gains(forest: Forest) -> dict[str, tuple[float, int]]:
    """Return each input's total gain and number of splits over all trees, the largest first; only of those split on."""
    totals: dict[str, tuple[float, int]] = {}
    for tree in forest.trees:
        for feature, gain in zip(tree.feature, tree.gain, strict=True):
            if feature >= 0:
                total, count = totals.get(forest.inputs[feature], (0.0, 0))
                totals[forest.inputs[feature]] = total + gain, count + 1
    return dict(sorted(totals.items(), key=lambda item: (-item[1][0], item[0])))


def tree_card(forest: Forest, number_of: int, palette: Palette) -> LayoutDOM:
    """Return the drawing of one tree, its root at the left; numbers begin at 1."""
    if not forest.trees:
        return card(title("Tree"), sentence("This output has no trees: it was kept as its start value."), wide=True)
    number_of = min(max(number_of, 1), len(forest.trees))
    tree = forest.trees[number_of - 1]
    places = tree_places(tree)
    leaves = sum(feature < 0 for feature in tree.feature)
    depth = max(level for level, _ in places)
    made = plot(
        "tree",
        LEAF_PX * leaves + 30,
        x_range=Range1d(start=-0.05, end=depth + 1.0),
        y_range=Range1d(start=leaves - 0.4, end=-0.7),
        styles={"min-width": f"{LEVEL_PX * (depth + 1)}px"},
    )
    bare(made)
    _branches(made, tree, places, palette)
    data: dict[str, Any] = {
        "x": [level for level, _ in places],
        "y": [height for _, height in places],
        "text": [_label(forest, tree, node) for node in range(len(places))],
        "full": [_label(forest, tree, node, 200) for node in range(len(places))],
        "rows": tree.rows,
        "gain": [
            number(gain) if feature >= 0 else "a leaf" for feature, gain in zip(tree.feature, tree.gain, strict=True)
        ],
        "colour": [
            palette.ink if feature >= 0 else palette.hit if value >= 0 else palette.miss
            for feature, value in zip(tree.feature, tree.value, strict=True)
        ],
    }
    dots = made.scatter("x", "y", source=ColumnDataSource(data), size=7, color="colour")
    made.text(
        "x",
        "y",
        "text",
        source=ColumnDataSource(data),
        x_offset=7,
        y_offset=5,
        text_color="colour",
        text_font_size="11px",
    )
    shown = {"x": "depth", "full": "split or value of the leaf", "rows": "rows or their weight", "gain": "gain"}
    sheet(made, dots.data_source, shown)
    hover(made, [dots], "@full", {"rows or their weight": "@rows{0,0}", "gain": "@gain"})
    legend = {"leaf that adds": palette.hit, "leaf that takes away": palette.miss}
    unit = f"{number_of} of {len(forest.trees)}, for {forest.output}"
    how = "Up is at most the threshold, down is above it; an unknown value goes along the dashed branch."
    return card(title("Tree", unit, legend), sentence(how), made, wide=True)


def _branches(made: object, tree: Tree, places: list[tuple[int, float]], palette: Palette) -> None:
    for dashed in (False, True):
        xs, ys = [], []
        for node, feature in enumerate(tree.feature):
            if feature < 0:
                continue
            for child, right in ((tree.left[node], False), (tree.right[node], True)):
                if (right == tree.unknown_right[node]) == dashed:
                    (level, height), (_, end) = places[node], places[child]
                    xs.append([level, level, level + 1.0])
                    ys.append([height, end, end])
        made.multi_line(xs, ys, color=palette.muted, line_width=1.2, line_dash=[3, 3] if dashed else "solid")  # type: ignore[attr-defined] # a figure


def _label(forest: Forest, tree: Tree, node: int, most: int = 15) -> str:
    if tree.feature[node] < 0:
        return number(tree.value[node])
    threshold = tree.threshold[node] if abs(tree.threshold[node]) > ZERO else 0.0
    return f"{clipped(forest.inputs[tree.feature[node]], most)} ≤ {number(threshold)}"


def gain_card(forest: Forest, palette: Palette) -> LayoutDOM:
    """Return the total gains by input over all trees of one output."""
    totals = gains(forest)
    if not totals:
        return card(title("Gain of the splits", forest.output), sentence("No tree of this output splits."))
    names = list(totals)[:TOP][::-1]
    shown = [totals[name][0] for name in names]
    short = [clipped(name, 28) for name in names]
    ticks = short if len(set(short)) == len(short) else names
    made = plot("gains", ROW_PX * len(ticks) + 44, y_range=ticks, x_range=(0, 1.05 * max(*shown, 1e-300)))
    data: dict[str, Any] = {"label": ticks, "name": names, "gain": shown, "splits": [totals[name][1] for name in names]}
    bars = made.hbar(y="label", right="gain", height=0.72, source=ColumnDataSource(data), color=palette.hit)
    made.ygrid.visible = False
    made.xaxis.axis_label = "fall of the training's loss"
    sheet(made, bars.data_source, {"name": "input", "gain": "fall of the training's loss", "splits": "splits"})
    hover(made, [bars], "@name", {"gain": "@gain{0.000}", "splits": "@splits"})
    rest = len(totals) - len(names)
    unit = forest.output + (f"; {rest} smaller inputs are left out" if rest else "")
    return card(title("Gain of the splits", unit), made)


def forest_card(forests: list[Forest], forest: Forest) -> LayoutDOM:
    """Return how large the forests are."""
    leaves = np.array([sum(feature < 0 for feature in tree.feature) for tree in forest.trees] or [0])
    depths = np.array([max(level for level, _ in tree_places(tree)) for tree in forest.trees] or [0])
    return card(
        title("Trees"),
        facts(
            {
                "outputs": f"{len(forests):,}",
                "trees in all": f"{sum(len(one.trees) for one in forests):,}",
                f"trees for {forest.output}": f"{len(forest.trees):,}",
                "leaves of a tree": f"{leaves.mean():.1f} on average, at most {leaves.max()}",
                "depth of a tree": f"{depths.mean():.1f} on average, at most {depths.max()}",
                "inputs": f"{len(forest.inputs):,}, split on {len(gains(forest)):,}",
            }
        ),
    )

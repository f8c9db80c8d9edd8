"""Two versions of a model side by side: what differs in their origin, their scores, their inputs."""

from typing import Any

from bokeh.models.layouts import LayoutDOM
from bokeh.models.sources import ColumnDataSource

from dashboard.html import Html, title
from dashboard.inspector import page_text
from dashboard.inspector.cards import card, clipped, plot
from dashboard.inspector.catalogue import Version
from dashboard.inspector.page_text import sentence, table
from dashboard.number_format import DASH
from dashboard.palette import Palette
from dashboard.sheets import sheet
from dashboard.side_plot import hover
from models.structure import Structure

TOP = 20
ROW_PX = 20


def compare(one: Version, other: Version, palette: Palette) -> list[LayoutDOM]:
    """Return the cards of two versions, the chosen first."""
    names = (one.version, other.version)
    made: list[LayoutDOM] = [
        card(
            title("Trained on", "what differs is bold"),
            _differences(page_text.origin(one), page_text.origin(other), names),
            wide=True,
        ),
        card(
            title("Scores and parameters", "what differs is bold"),
            _differences(
                {"pinball skill": page_text.skill(one.skill)} | page_text.parameters(one),
                {"pinball skill": page_text.skill(other.skill)} | page_text.parameters(other),
                names,
            ),
            sentence(f"A parameter with {DASH} has its default there, or is not stored."),
        ),
    ]
    if one.importance is None or other.importance is None:
        made.append(card(title("Importance of the inputs"), sentence("Not stored of both versions.")))
    else:
        made.append(_importances(one.importance.shares, other.importance.shares, names, palette))
    return made


def sizes(one: Structure, other: Structure, names: tuple[str, str]) -> LayoutDOM:
    """Return how large two versions are."""
    return card(title("Size", "what differs is bold"), _differences(_size(one), _size(other), names))


def _size(structure: Structure) -> dict[str, str]:
    trees = [tree for forest in structure.forests for tree in forest.trees]
    found = {
        "coefficients": sum(len(table.rows) * len(table.columns) for table in structure.coefficients),
        "trees": len(trees),
        "leaves": sum(feature < 0 for tree in trees for feature in tree.feature),
        "layers": len(structure.layers),
        "parameters of layers": sum(layer.parameters for layer in structure.layers),
    }
    return {name: f"{value:,}" for name, value in found.items() if value}


def _differences(one: dict[str, str], other: dict[str, str], names: tuple[str, str]) -> str:
    rows = [[name, one.get(name, DASH), other.get(name, DASH)] for name in dict.fromkeys((*one, *other))]
    shown = [
        [name, *(cell if isinstance(cell, Html) else clipped(cell, 44) for cell in cells)] for name, *cells in rows
    ]
    return table(["", *names], shown, [first != second for _, first, second in rows])


def _importances(one: dict[str, float], other: dict[str, float], names: tuple[str, str], palette: Palette) -> LayoutDOM:
    """Return the inputs with the largest shares of either version, both joined by a line."""
    largest = sorted({*one, *other}, key=lambda name: (-max(one.get(name, 0.0), other.get(name, 0.0)), name))[:TOP][
        ::-1
    ]
    short = [clipped(name, 28) for name in largest]
    ticks = short if len(set(short)) == len(short) else largest
    made = plot("importances", ROW_PX * len(ticks) + 48, y_range=ticks)
    data: dict[str, Any] = {
        "label": ticks,
        "name": largest,
        "one": [one.get(name, float("nan")) for name in largest],
        "other": [other.get(name, float("nan")) for name in largest],
    }
    made.segment(
        "one", "label", "other", "label", source=ColumnDataSource(data), line_color=palette.volume, line_width=2
    )
    dots = [
        made.scatter("other", "label", source=ColumnDataSource(data), size=9, marker="diamond", color=palette.miss),
        made.scatter("one", "label", source=ColumnDataSource(data), size=8, color=palette.hit),
    ]
    sheet(made, dots[0].data_source, {"name": "input", "one": f"{names[0]} [%]", "other": f"{names[1]} [%]"})
    made.ygrid.visible = False
    made.xaxis.axis_label = "share, %"
    hover(made, dots, "@name", {names[0]: "@one{0.00} %", names[1]: "@other{0.00} %"})
    legend = {names[0]: palette.hit, f"{names[1]} (diamond)": palette.miss}
    return card(title("Importance of the inputs", "", legend), made, wide=True)

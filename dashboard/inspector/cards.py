"""Cards that are made when they are shown: a text, and plots below it."""

from typing import Any

from bokeh.models.css import InlineStyleSheet
from bokeh.models.layouts import Column, LayoutDOM
from bokeh.models.ranges import DataRange1d
from bokeh.models.tools import ResetTool, SaveTool
from bokeh.models.ui import UIElement
from bokeh.models.widgets.markups import Div
from bokeh.plotting import figure

from dashboard.static_files import asset

WIDE: dict[str, str | None] = {"grid-column": "1 / -1"}
NARROW: dict[str, str | None] = {}


def text(html: str) -> Div:
    """Return a text."""
    sheets: list[Any] = [InlineStyleSheet(css=asset("text.css")), InlineStyleSheet(css=asset("inspector.css"))]
    return Div(text=html, stylesheets=sheets, sizing_mode="stretch_width", margin=0)


def card(*children: LayoutDOM | str, wide: bool = False) -> Column:
    """Return a card of texts (HTML) and plots; a wide one takes a whole row of the page."""
    shown: list[UIElement] = []
    html = ""
    for child in (*children, None):
        if isinstance(child, str):
            html += child
            continue
        if html:
            shown.append(text(html))
            html = ""
        if child is not None:
            shown.append(child)
    return Column(
        children=shown,
        stylesheets=[InlineStyleSheet(css=asset("card.css"))],
        sizing_mode="stretch_width",
        styles=WIDE if wide else NARROW,
    )


def plot(name: str, height: int, **settings: Any) -> figure:
    """Return an empty plot of that height in pixels, as wide as its card."""
    shown: dict[str, Any] = {
        "name": name,
        "height": height,
        "sizing_mode": "stretch_width",
        "tools": [],
        "min_border_left": 4,
        "min_border_right": 12,
        "min_border_top": 4,
        "min_border_bottom": 4,
    }
    for axis in ("x_range", "y_range"):
        shown[axis] = DataRange1d(range_padding=0.05)
    made = figure(**(shown | settings))
    made.add_tools(ResetTool(), SaveTool(filename=f"foretick-{name}"))
    made.toolbar.logo, made.toolbar.autohide = None, True
    made.toolbar.stylesheets = [InlineStyleSheet(css=asset("toolbar.css"))]
    return made


def bare(made: figure) -> None:
    """Leave out axes and grid: what is drawn has no scale."""
    made.axis.visible = False
    made.grid.visible = False


def clipped(name: str, most: int) -> str:
    """Return a name of at most so many characters: its middle is left out.

    >>> clipped("bollinger_width_20@5m", 12)
    'bollin…20@5m'
    """
    return name if len(name) <= most else f"{name[: most - most // 2]}…{name[-(most // 2 - 1) :]}"


def mixed(low: str, high: str, share: float) -> str:
    """Return the colour between two of the form #rrggbb.

    >>> mixed("#000000", "#ffffff", 0.5)
    '#808080'
    """
    parts = [(int(low[place : place + 2], 16), int(high[place : place + 2], 16)) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(one + share * (other - one)):02x}" for one, other in parts)


def ramp(low: str, middle: str, high: str, steps: int = 11) -> list[str]:
    """Return colours from one over a middle to another."""
    shares = [2 * step / (steps - 1) for step in range(steps)]
    return [mixed(low, middle, share) if share <= 1 else mixed(middle, high, share - 1) for share in shares]

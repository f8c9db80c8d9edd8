"""A line at the pointer's place in all plots that share an axis."""

from collections.abc import Iterable

from bokeh.models.annotations.geometry import Span
from bokeh.models.tools import CrosshairTool
from bokeh.plotting import figure

GREY = "#7f8b97"
"""Seen on both themes' grounds."""


def share_crosshair(plots: Iterable[figure]) -> None:
    """Let the plots, whose x axes mean the same, show where the pointer is in any of them."""
    cross = Span(dimension="height", line_width=1, line_dash="dotted", line_color=GREY)
    for plot in plots:
        plot.add_tools(CrosshairTool(overlay=cross))

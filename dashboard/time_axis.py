"""The labels of time axes and the times of tooltips, in a time zone that can be changed."""

from typing import Any

from bokeh.models.axes import Axis
from bokeh.models.formatters import CustomJSTickFormatter
from bokeh.models.plots import Plot
from bokeh.models.tools import CustomJSHover, HoverTool
from bokeh.plotting import figure

from dashboard.clock import Clock
from dashboard.static_files import asset

ZONE = "zone"
"""The tag of an axis whose label is the zone; and what the code of labels and tooltips calls it."""


def times(zone: str = "UTC", dated: bool = False) -> CustomJSTickFormatter:
    """Return the labels of a time axis in that time zone; `dated` is with the date under one of them."""
    code = f"{asset('times.js')}return label(tick, ticks, index)"
    return CustomJSTickFormatter(args={ZONE: zone, "dated": dated}, code=code)


def moment(zone: str = "UTC") -> CustomJSHover:
    """Return how a tooltip writes a time: with its date and the zone."""
    return CustomJSHover(args={ZONE: zone}, code=f"{asset('times.js')}return moment(value)")


def label_times(plot: figure) -> None:
    """Let the labels of a plot's x axis be dated times, and its title the zone."""
    for axis in plot.xaxis:
        axis.formatter, axis.axis_label, axis.tags = times(dated=True), "UTC", [ZONE]


def set_clock(plot: Plot, clock: Clock) -> None:
    """Write the times of a plot by that clock, wherever `times`, `moment` and `label_times` have put them."""
    for axis in [*plot.below, *plot.above, *plot.left, *plot.right]:
        if not isinstance(axis, Axis):
            continue
        formatter: Any = axis.formatter
        if isinstance(formatter, CustomJSTickFormatter) and _other(formatter, clock):
            axis.formatter = CustomJSTickFormatter(args={**formatter.args, ZONE: clock.name}, code=formatter.code)
            if ZONE in axis.tags:
                axis.axis_label = clock.short()
    for tool in plot.toolbar.tools:
        if isinstance(tool, HoverTool):
            changed = {
                name: CustomJSHover(args={**one.args, ZONE: clock.name}, code=one.code)
                for name, one in tool.formatters.items()
                if isinstance(one, CustomJSHover) and _other(one, clock)
            }
            if changed:
                tool.formatters = {**tool.formatters, **changed}


def _other(code: Any, clock: Clock) -> bool:
    """Return whether the code of a label has another zone; one without a zone has none."""
    return ZONE in code.args and code.args[ZONE] != clock.name

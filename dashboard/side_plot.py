"""A plot of a page whose axis is no time of the market, with the tools that all of them have."""

from typing import Any

from bokeh.models.css import InlineStyleSheet
from bokeh.models.ranges import DataRange1d
from bokeh.models.tools import BoxZoomTool, HoverTool, PanTool, ResetTool, SaveTool, WheelZoomTool
from bokeh.plotting import figure

from dashboard.live.charts import amounts
from dashboard.live.plot_tools import tip
from dashboard.static_files import asset


def side_plot(name: str, x_label: str = "", y_label: str = "", **settings: Any) -> figure:
    """Return an empty plot that fills its place; the ranges follow the data until the viewer pans or zooms."""
    shown: dict[str, Any] = {
        "name": name,
        "sizing_mode": "stretch_both",
        "tools": [],
        "min_border_left": 8,
        "min_border_right": 12,
        "min_border_top": 4,
        "min_border_bottom": 4,
        "lod_threshold": None,
        "output_backend": "canvas",
    }
    for axis in ("x_range", "y_range"):
        shown[axis] = DataRange1d(range_padding=0.05)
    made = figure(**(shown | settings))
    made.xaxis.axis_label, made.yaxis.axis_label = x_label, y_label
    if "y_axis_type" not in settings:
        made.yaxis.formatter = amounts(short=False)
    pan, wheel, zoom = PanTool(), WheelZoomTool(), BoxZoomTool()
    made.add_tools(pan, zoom, wheel, ResetTool(), SaveTool(filename=f"foretick-{name}"))
    toolbar = made.toolbar
    toolbar.active_drag, toolbar.active_scroll, toolbar.logo, toolbar.autohide = pan, None, None, True
    toolbar.stylesheets = [InlineStyleSheet(css=asset("toolbar.css"))]
    made.toolbar_location, made.toolbar_inner = "above", True
    return made


def hover(plot: figure, renderers: list[Any], head: str, rows: dict[str, str], **settings: Any) -> None:
    """Say beside the pointer what it points at."""
    shown: dict[str, Any] = {"tooltips": tip(head, rows), "show_arrow": False, "visible": False} | settings
    plot.add_tools(HoverTool(renderers=renderers, **shown))

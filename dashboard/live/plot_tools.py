"""What the viewer can do with a plot: pan, zoom, point at something."""

from typing import Any

from bokeh.models.annotations.geometry import Span
from bokeh.models.css import InlineStyleSheet
from bokeh.models.tools import (
    BoxZoomTool,
    CrosshairTool,
    CustomJSHover,
    HoverTool,
    PanTool,
    ResetTool,
    SaveTool,
    WheelZoomTool,
)

from dashboard.live.charts import Market
from dashboard.static_files import asset

NUMBERS = ("open", "high", "low", "close", "volume", "lower", "upper")
VERDICT = "return value == 1 ? 'hit' : value == 0 ? 'missed' : '\\u2013'"


def tip(head: str, rows: dict[str, str]) -> str:
    """Return a tooltip's template: a heading and named values."""
    pairs = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows.items())
    return f'<div class="tip"><style>{asset("tooltip.css")}</style><b>{head}</b><dl>{pairs}</dl></div>'


def equip(market: Market) -> Span:
    """Give the market's plots their tools, and return the cross-hair that they share."""
    cross = Span(dimension="height", line_width=1, line_dash="dotted")
    for plot in (market.price, market.ribbon, market.volume):
        plot.add_tools(CrosshairTool(overlay=cross))
    pan, wheel = PanTool(dimensions="width"), WheelZoomTool(dimensions="width")
    zoom, save = BoxZoomTool(dimensions="width"), SaveTool(filename="foretick")
    market.price.add_tools(pan, zoom, wheel, ResetTool(), save, _candles(market))
    market.price.add_tools(
        _beyond(market.marks.candles, {"High": "@high{custom}", "Low": "@low{custom}"}, "high", "low"),
        _beyond(market.marks.fan, {"90 % interval": "@q05{custom} to @q95{custom}"}, "q05", "q95"),
    )
    toolbar = market.price.toolbar
    toolbar.active_drag, toolbar.active_scroll, toolbar.logo, toolbar.autohide = pan, wheel, None, True
    toolbar.stylesheets = [InlineStyleSheet(css=asset("toolbar.css"))]
    market.price.toolbar_location, market.price.toolbar_inner = "above", True
    market.ribbon.add_tools(_regimes())
    market.volume.add_tools(PanTool(dimensions="width"), WheelZoomTool(dimensions="width"))
    return cross


def _candles(market: Market) -> HoverTool:
    rows = {name.capitalize(): f"@{name}{{custom}}" for name in NUMBERS[:5]}
    rows |= {"90 % interval": "@lower{custom} to @upper{custom}", "Forecast": "@hit{custom}"}
    known, verdict = _number(), CustomJSHover(code=VERDICT)
    formatters: dict[str, Any] = {"@time": "datetime", "@hit": verdict} | {f"@{name}": known for name in NUMBERS}
    return HoverTool(
        renderers=[market.reach],
        mode="vline",
        tooltips=tip("@time{%d %b %Y %H:%M} UTC", rows),
        formatters=formatters,
        point_policy="follow_mouse",
        show_arrow=False,
    )


def _number() -> CustomJSHover:
    return CustomJSHover(code=f"{asset('numbers.js')}return number(value)")


def _beyond(renderers: list[Any], rows: dict[str, str], *columns: str) -> HoverTool:
    """Return the tooltip of marks at the edge."""
    formatters: dict[str, Any] = {"@time": "datetime"} | {f"@{name}": _number() for name in columns}
    return HoverTool(
        renderers=renderers,
        tooltips=tip("@time{%d %b %Y %H:%M} UTC", rows),
        formatters=formatters,
        attachment="vertical",
        show_arrow=False,
        visible=False,
    )


def _regimes() -> HoverTool:
    return HoverTool(
        tooltips=tip("@state", {"from": "@start{%d %b %H:%M} UTC", "to": "@end{%d %b %H:%M} UTC"}),
        formatters={"@start": "datetime", "@end": "datetime"},
        show_arrow=False,
    )


def score_hover(column: str) -> HoverTool:
    """Return the tooltip of a score's lines."""
    rows = {"up to": "@time{%d %b %H:%M} UTC", column: f"@{column}{{0.0 %}}", "outcomes": "@scored{0,0}"}
    return HoverTool(
        tooltips=tip("$name", rows), formatters={"@time": "datetime"}, line_policy="nearest", show_arrow=False
    )

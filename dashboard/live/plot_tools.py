"""What the viewer can do with a plot: pan, zoom, point at something; no tooltip hides another."""

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
from dashboard.time_axis import moment

NUMBERS = ("open", "high", "low", "close", "volume", "lower", "upper")
VERDICT = "return value == 1 ? 'hit' : value == 0 ? 'missed' : '\\u2013'"
SHARE = "return Number.isFinite(value) ? (100 * value).toFixed(0) + ' %' : '\\u2013'"
TIMES = ("@time", "@start", "@end")


def tip(head: str, rows: dict[str, str]) -> str:
    """Return a tooltip's template: a heading and named values."""
    pairs = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows.items())
    return f'<div class="tip"><style>{asset("tooltip.css")}</style><b>{head}</b><dl>{pairs}</dl></div>'


def equip(market: Market) -> Span:
    """Give the market's plots their tools, and return the cross-hair that they share."""
    cross = Span(dimension="height", line_width=1)
    for plot in (market.price, market.ribbon, market.volume):
        plot.add_tools(CrosshairTool(overlay=cross))
    pan, wheel = PanTool(dimensions="width"), WheelZoomTool(dimensions="width")
    zoom, save = BoxZoomTool(dimensions="width"), SaveTool(filename="foretick")
    market.price.add_tools(pan, zoom, wheel, ResetTool(), save, _candles(market), _ahead(market))
    toolbar = market.price.toolbar
    toolbar.active_drag, toolbar.active_scroll, toolbar.logo = pan, wheel, None
    toolbar.stylesheets = [InlineStyleSheet(css=asset("toolbar.css"))]
    market.price.toolbar_location = "above"
    market.ribbon.add_tools(_regimes())
    market.volume.add_tools(PanTool(dimensions="width"), WheelZoomTool(dimensions="width"))
    return cross


def set_zone(market: Market, zone: str) -> None:
    """Let the tooltips say times in that zone."""
    for plot in (market.price, market.ribbon):
        for tool in plot.toolbar.tools:
            if isinstance(tool, HoverTool):
                changed = {name: moment(zone) for name in TIMES if name in tool.formatters}
                tool.formatters = {**tool.formatters, **changed}


def _candles(market: Market) -> HoverTool:
    rows = {name.capitalize(): f"@{name}{{custom}}" for name in NUMBERS[:5]}
    rows |= {"90 % interval": "@lower{custom} to @upper{custom}", "Forecast": "@hit{custom}"}
    known = number_hover()
    formatters: dict[str, Any] = {"@start": moment(), "@hit": CustomJSHover(code=VERDICT)}
    return HoverTool(
        renderers=[market.reach],
        mode="vline",
        tooltips=tip("@start{custom}", rows),
        formatters=formatters | {f"@{name}": known for name in NUMBERS},
        point_policy="follow_mouse",
        attachment="horizontal",
        show_arrow=False,
    )


def _ahead(market: Market) -> HoverTool:
    """Return the tooltip of the fan's points, each a horizon."""
    rows = {
        "Median": "@q50{custom}",
        "90 % interval": "@q05{custom} to @q95{custom}",
        "80 %": "@q10{custom} to @q90{custom}",
        "50 %": "@q25{custom} to @q75{custom}",
        "Chance of a rise": "@p_up{custom}",
    }
    known = number_hover()
    formatters: dict[str, Any] = {"@time": moment(), "@p_up": CustomJSHover(code=SHARE)}
    return HoverTool(
        renderers=[market.ahead],
        mode="vline",
        tooltips=tip("by @time{custom}", rows),
        formatters=formatters | {f"@{name}": known for name in ("q05", "q10", "q25", "q50", "q75", "q90", "q95")},
        point_policy="follow_mouse",
        attachment="horizontal",
        show_arrow=False,
    )


def number_hover() -> CustomJSHover:
    return CustomJSHover(code=f"{asset('numbers.js')}return number(value)")


def _regimes() -> HoverTool:
    return HoverTool(
        tooltips=tip("@state", {"from": "@start{custom}", "to": "@end{custom}"}),
        formatters={"@start": moment(), "@end": moment()},
        attachment="vertical",
        show_arrow=False,
    )


def score_hover(renderer: Any) -> HoverTool:
    """Return the tooltip of a score: that of all models at the time."""
    return HoverTool(
        renderers=[renderer],
        mode="vline",
        tooltips=f'<div class="tip"><style>{asset("tooltip.css")}</style>@text{{safe}}</div>',
        point_policy="follow_mouse",
        attachment="horizontal",
        show_arrow=False,
    )

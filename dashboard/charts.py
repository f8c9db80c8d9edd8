"""The plots: candles with forecasts, the regime ribbon, volume, and the two scores. Each is built once, then fed."""

from dataclasses import dataclass

import numpy as np
from bokeh.models import (
    BoxZoomTool,
    ColumnDataSource,
    CrosshairTool,
    CustomJSHover,
    CustomJSTickFormatter,
    DataRange1d,
    DatetimeTickFormatter,
    GlyphRenderer,
    HoverTool,
    NumeralTickFormatter,
    PanTool,
    Range1d,
    ResetTool,
    SaveTool,
    Span,
    WheelZoomTool,
)
from bokeh.plotting import figure

from dashboard.columns import Columns, compare
from dashboard.fan import BANDS, LEVELS

CLOCK = DatetimeTickFormatter(
    minutes="%H:%M", hourmin="%H:%M", hours="%H:%M", days="%d %b", months="%b %Y", years="%Y", context=None
)
EDGE = 74
"""Room for the price labels on the right, the same in every stacked plot, so that their times are in line."""


def empty(*names: str) -> ColumnDataSource:
    """Return a source with those columns and no row."""
    return ColumnDataSource({name: np.empty(0) for name in names})


def feed(source: ColumnDataSource, old: Columns | None, new: Columns) -> None:
    """Bring the source from the old columns to the new ones, sending as little as will do."""
    change = compare(old, new)
    if change.kind == "replace":
        source.data = dict(new)
    elif change.kind == "extend":
        length = len(new["time"])
        if change.rows:
            source.stream({name: column[length - change.rows :] for name, column in new.items()}, rollover=length)
        if change.patch:
            names = [name for name in new if name != "time"]
            source.patch({name: [(row, float(new[name][row])) for row in change.patch] for name in names})


def plot(**settings: object) -> figure:
    """Return a bare plot that fills its place on the page."""
    shown: dict[str, object] = {
        "sizing_mode": "stretch_both",
        "tools": [],
        "toolbar_location": None,
        "x_axis_type": "datetime",
        "y_axis_location": "right",
        "min_border_right": EDGE,
        "min_border_left": 8,
        "min_border_top": 4,
        "min_border_bottom": 4,
        "lod_threshold": None,
    }
    made = figure(**(shown | settings))
    made.xgrid.visible = False
    made.xaxis.formatter = CLOCK
    return made


@dataclass(frozen=True)
class Market:
    """The three plots that share the time axis, and what feeds them."""

    price: figure
    ribbon: figure
    volume: figure
    bars: ColumnDataSource
    fan: ColumnDataSource
    chosen: ColumnDataSource
    regimes: ColumnDataSource
    x_range: Range1d


def market() -> Market:
    """Build the candles, the ribbon and the volume."""
    bars = empty("time", "open", "high", "low", "close", "volume", "lower", "upper", "realised", "hit", "up")
    fan, chosen = empty("time", "horizon", "p_up", *LEVELS), empty("time", "horizon", "p_up", *LEVELS)
    regimes = ColumnDataSource({"start": [], "end": [], "state": [], "colour": []})
    x_range = Range1d()
    price = plot(x_range=x_range, y_range=DataRange1d(range_padding=0.06), window_axis="x", name="price")
    price.xaxis.visible = False
    price.yaxis.formatter = NumeralTickFormatter(format="0,0.00")
    ribbon = plot(x_range=x_range, y_range=Range1d(0, 1), name="ribbon", min_border_top=0, min_border_bottom=0)
    ribbon.axis.visible = ribbon.grid.visible = False
    volume = plot(x_range=x_range, y_range=DataRange1d(start=0, range_padding=0.08), window_axis="x", name="volume")
    volume.yaxis.formatter = NumeralTickFormatter(format="0.[0]a")
    volume.yaxis.ticker.desired_num_ticks = 3

    for place, (_, lower, upper) in enumerate(BANDS):
        price.varea("time", lower, upper, source=fan, name="fan", fill_alpha=(0.14, 0.18, 0.26)[place])
    price.line("time", "q50", source=fan, name="fan", line_width=1.5)
    price.segment("time", "q05", "time", "q95", source=chosen, name="fan", line_width=2)
    price.scatter("time", "q50", source=chosen, name="fan", size=7)
    price.vbar("time", 1, "upper", "lower", source=bars, name="resolved", line_color=None)
    price.scatter("time", "realised", source=bars, name="missed", size=5, line_color=None)
    price.segment("time", "low", "time", "high", source=bars, name="wick", line_width=1)
    price.vbar("time", 1, "open", "close", source=bars, name="body", line_width=1)
    reach = price.vbar("time", 1, "high", "low", source=bars, name="reach", alpha=0)
    last = Span(dimension="width", line_dash=[2, 3], name="last", level="underlay")
    price.add_layout(last)
    ribbon.quad("start", "end", 1, 0, source=regimes, fill_color="colour", line_color=None, name="ribbon")
    volume.vbar("time", 1, "volume", 0, source=bars, name="traded", line_color=None)
    _tools(price, ribbon, volume, reach)
    return Market(price, ribbon, volume, bars, fan, chosen, regimes, x_range)


def _tools(price: figure, ribbon: figure, volume: figure, reach: GlyphRenderer) -> None:
    known = CustomJSHover(
        code="return Number.isFinite(value) ? value.toLocaleString('en', {maximumFractionDigits: 8}) : '–'"
    )
    verdict = CustomJSHover(code="return value == 1 ? 'hit' : value == 0 ? 'miss' : 'no forecast'")
    numbers = ("open", "high", "low", "close", "volume", "lower", "upper")
    tooltips = """
    <div class="tip"><b>@time{%d %b %Y %H:%M} UTC</b>
    <dl><dt>Open</dt><dd>@open{custom}</dd><dt>High</dt><dd>@high{custom}</dd><dt>Low</dt><dd>@low{custom}</dd>
    <dt>Close</dt><dd>@close{custom}</dd><dt>Volume</dt><dd>@volume{custom}</dd>
    <dt>90 % interval</dt><dd>@lower{custom} … @upper{custom}</dd><dt>Came true</dt><dd>@hit{custom}</dd></dl></div>"""
    formatters = {"@time": "datetime", "@hit": verdict} | {f"@{name}": known for name in numbers}
    hover = HoverTool(
        renderers=[reach], mode="vline", tooltips=tooltips, formatters=formatters, point_policy="follow_mouse"
    )
    state = HoverTool(tooltips=[("regime", "@state"), ("from", "@start{%d %b %H:%M}")], formatters={"@start": "datetime"})
    cross = Span(dimension="height", line_width=1, line_dash="dotted", name="cross")
    for one in (price, ribbon, volume):
        one.add_tools(CrosshairTool(overlay=cross))
    pan, wheel = PanTool(dimensions="width"), WheelZoomTool(dimensions="width", maintain_focus=False)
    price.add_tools(pan, BoxZoomTool(dimensions="width"), wheel, ResetTool(), SaveTool(filename="foretick"), hover)
    price.toolbar.active_drag, price.toolbar.active_scroll = pan, wheel
    price.toolbar.logo, price.toolbar.autohide = None, True
    price.toolbar_location = "above"
    ribbon.add_tools(state)
    volume.add_tools(PanTool(dimensions="width"), WheelZoomTool(dimensions="width"))


@dataclass(frozen=True)
class Score:
    """One score of every model over time; `sources` and `lines` are by model and grow as models appear."""

    plot: figure
    column: str
    hover: HoverTool
    sources: dict[str, ColumnDataSource]
    lines: dict[str, GlyphRenderer]


def score(column: str, reference: float, places: str) -> Score:
    """Build the plot of one score, with a line at its reference: the nominal coverage, or the naive forecast's skill."""
    made = plot(y_range=Range1d(), name=column, min_border_right=50)
    made.yaxis.formatter = CustomJSTickFormatter(code=f"return (100 * tick).toFixed({places}).replace('-', '−') + ' %'")
    made.yaxis.ticker.desired_num_ticks = 4
    made.xaxis.ticker.desired_num_ticks = 5
    made.add_layout(Span(location=reference, dimension="width", line_dash=[5, 4], name="reference"))
    hover = HoverTool(
        tooltips=[
            ("model", "$name"),
            ("to", "@time{%d %b %H:%M} UTC"),
            (column, f"@{column}{{0.0 %}}"),
            ("outcomes", "@scored{0,0}"),
        ],
        formatters={"@time": "datetime"},
        mode="mouse",
        line_policy="nearest",
    )
    made.add_tools(hover, CrosshairTool(dimensions="height", line_alpha=0.4))
    return Score(made, column, hover, {}, {})

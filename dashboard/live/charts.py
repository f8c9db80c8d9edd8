"""The plots that share the time axis: candles with forecasts, the regime ribbon, volume. Built once, then fed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models.annotations.geometry import Span
from bokeh.models.annotations.labels import Label
from bokeh.models.formatters import CustomJSTickFormatter
from bokeh.models.ranges import DataRange1d, Range1d
from bokeh.models.sources import ColumnDataSource
from bokeh.models.tickers import BasicTicker, DatetimeTicker
from bokeh.plotting import figure

from dashboard.live.columns import Columns, compare
from dashboard.live.edge_markers import Edge, edge
from dashboard.live.fan import BANDS, LEVELS
from dashboard.live.layers import MEDIAN, MISSED
from dashboard.live.series_reader import RESOLVED_COLUMNS
from dashboard.static_files import asset
from dashboard.time_axis import times

BAND_ALPHAS = (0.14, 0.18, 0.26)
EDGE = 80
"""Room for the price labels on the right, the same in every stacked plot, so that their times are in line."""
REACH = ("least", "most")
"""From which to which price the axis is to hold a bar or the fan."""


def empty(*names: str) -> ColumnDataSource:
    """Return a source with those columns and no row."""
    return ColumnDataSource({name: np.empty(0) for name in names})


def feed(source: ColumnDataSource, old: Columns | None, new: Columns) -> None:
    """Bring the source from the old columns to the new ones, sending as little as will do."""
    change = compare(old, new)
    if change.kind == "replace":
        source.data = {**new}
    elif change.kind == "extend":
        length = len(new["time"])
        if change.rows:
            source.stream({name: column[length - change.rows :] for name, column in new.items()}, rollover=length)
        if change.patch:
            names = [name for name in new if name != "time"]
            source.patch({name: [(row, float(new[name][row])) for row in change.patch] for name in names})


def begun(plot: figure) -> Any:
    """Give an axis that follows the data an end before there are any, or the browser complains of it.

    Returns points at the beginning of 1970, which are in view at first; hidden, they count no more.
    """
    return plot.scatter([0.5, 0.5], [0.0, 1.0], alpha=0)


def amounts(short: bool) -> CustomJSTickFormatter:
    """Return the labels of an axis, each of which differs from the next; `short` is with k, M, G and T."""
    return CustomJSTickFormatter(args={"short": short}, code=f"{asset('numbers.js')}return label(tick, ticks, short)")


def plot(**settings: Any) -> figure:
    """Return a bare plot that fills its place on the page."""
    shown: dict[str, Any] = {
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
    made.xaxis.formatter = times()
    return made


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The columns that the plots draw: `chosen` is the fan at one horizon, `points` what of it can be pointed at."""

    bars: ColumnDataSource
    fan: ColumnDataSource
    chosen: ColumnDataSource
    points: ColumnDataSource
    regimes: ColumnDataSource


@dataclass(frozen=True, kw_only=True)
class Market(Sources):
    """The plots, what feeds them, and what is coloured or measured later.

    `glyphs` are by what they show, `layers` what can be switched off; Any, because Bokeh's types know no glyph's
    colours.
    """

    price: figure
    ribbon: figure
    volume: figure
    x_range: Range1d
    prices: DataRange1d
    last: Span
    dated: Label
    reach: Any
    ahead: Any
    starts: list[Any]
    marks: Edge
    glyphs: dict[str, list[Any]]
    layers: dict[str, list[Any]]


def _sources() -> Sources:
    """Return the sources, without a row yet."""
    known = ("time", "start", "open", "high", "low", "close", "volume", "up", *RESOLVED_COLUMNS[1:])
    lines = ("time", "horizon", "p_up", *LEVELS)
    return Sources(
        bars=empty(*known, *REACH),
        fan=empty(*lines, *REACH),
        chosen=empty(*lines),
        points=empty(*lines, "left", "right"),
        regimes=ColumnDataSource({"start": [], "end": [], "state": [], "colour": []}),
    )


def _panels(x_range: Range1d, prices: DataRange1d) -> tuple[figure, figure, figure]:
    """Return the empty panels of the candles, the ribbon and the volume."""
    price = plot(x_range=x_range, y_range=prices, window_axis="x", name="price")
    price.xaxis.visible = False
    price.yaxis.formatter = amounts(short=False)
    ribbon = plot(
        x_range=x_range, y_range=Range1d(start=0, end=1), name="ribbon", min_border_top=2, min_border_bottom=0
    )
    ribbon.axis.visible = ribbon.grid.visible = False
    volume = plot(
        x_range=x_range,
        y_range=DataRange1d(start=0, range_padding=0.08, only_visible=True),
        window_axis="x",
        name="volume",
    )
    volume.xaxis.formatter = times(dated=True)
    volume.xaxis.ticker = DatetimeTicker(desired_num_ticks=7)
    volume.yaxis.formatter = amounts(short=True)
    volume.yaxis.ticker = BasicTicker(desired_num_ticks=3)
    return price, ribbon, volume


def _annotations(price: figure) -> tuple[Span, Label]:
    """Add the line at the last price, and the date of a fan that is old."""
    last = Span(dimension="width", line_dash=[2, 3], level="underlay")
    dated = Label(x=0, y=0, visible=False, text_font_size="11px", text_baseline="bottom", x_offset=4, y_offset=4)
    price.add_layout(last)
    price.add_layout(dated)
    return last, dated


def _areas(price: figure, fan: ColumnDataSource) -> dict[str, Any]:
    """Draw the bands of the fan, and return each by its lower quantile."""
    return {
        lower: price.varea("time", lower, upper, source=fan, fill_alpha=alpha)
        for (_, lower, upper), alpha in zip(BANDS, BAND_ALPHAS, strict=True)
    }


def market() -> Market:
    """Build the candles, the ribbon and the volume."""
    sources = _sources()
    bars, fan = sources.bars, sources.fan
    x_range, prices = Range1d(), DataRange1d(range_padding=0.06, only_visible=True)
    price, ribbon, volume = _panels(x_range, prices)

    # Intervals lie below the grid and hide nothing; then the fan, the candles, and the whisker of the chosen horizon.
    resolved = price.vbar("time", 1, "upper", "lower", source=bars, line_width=1, level="image")
    areas = _areas(price, fan)
    median = price.line("time", "q50", source=fan, line_width=1.5)
    missed = price.scatter("time", "realised", source=bars, size=5, line_color=None)
    wick = price.segment("time", "low", "time", "high", source=bars, line_width=1)
    body = price.vbar("time", 1, "open", "close", source=bars, line_width=1)
    reach = price.vbar("time", 1, "most", "least", source=bars, alpha=0)
    whisker = price.segment("time", "q05", "time", "q95", source=sources.chosen, line_width=2)
    point = price.scatter("time", "q50", source=sources.chosen, size=7)
    ahead = price.quad("left", "right", "q95", "q05", source=sources.points, alpha=0)
    last, dated = _annotations(price)
    starts = [begun(price), begun(volume)]
    # Nothing of these is seen: the axis holds them in place of what is drawn, of which some may be astray.
    held = price.segment("time", "least", "time", "most", source=fan, alpha=0)
    prices.renderers = [reach, held, starts[0]]
    marks = edge(price, prices, bars, fan)
    ribbon.quad("start", "end", 0.92, 0.08, source=sources.regimes, fill_color="colour", line_color=None)
    traded = volume.vbar("time", 1, "volume", 0, source=bars, line_color=None)
    shown: dict[str, list[Any]] = {
        "resolved": [resolved],
        "fan": [*areas.values(), median, whisker, point],
        "missed": [missed],
        "wick": [wick],
        "body": [body],
        "reach": [reach],
        "traded": [traded],
        "beyond": [*marks.candles, *marks.intervals],
        "fan beyond": marks.fan,
        "labels": marks.labels,
    }
    glyphs = {name: [renderer.glyph for renderer in renderers] for name, renderers in shown.items()}
    return Market(
        **vars(sources),
        price=price,
        ribbon=ribbon,
        volume=volume,
        x_range=x_range,
        prices=prices,
        last=last,
        dated=dated,
        reach=reach,
        ahead=ahead,
        starts=starts,
        marks=marks,
        glyphs=glyphs,
        layers={
            **{name: [area] for name, area in areas.items()},
            BANDS[0][1]: [areas[BANDS[0][1]], whisker],
            MEDIAN: [median, point],
            MISSED: [missed],
        },
    )

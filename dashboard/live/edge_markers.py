"""Marks at the upper and lower edge of the price plot: what lies beyond the axis, and how far.

The browser recomputes them whenever the axis moves, so they mark only what is outside it.
"""

from dataclasses import dataclass
from typing import Any

from bokeh.core.properties import field
from bokeh.models.callbacks import CustomJS
from bokeh.models.filters import CustomJSFilter
from bokeh.models.ranges import DataRange1d, Range1d
from bokeh.models.sources import CDSView, ColumnDataSource
from bokeh.models.transforms import CustomJSTransform
from bokeh.plotting import figure

from dashboard.static_files import asset

NAME = "edge"
"""The range from 0 to 1 on which the marks lie, whatever the prices are."""
CANDLE, FAN, LINE = 0.02, 0.1, 0.004
"""How far from the edge each kind of mark is, as a share of the plot's height: the fan's leave room for the tools."""
LABEL = f"{asset('numbers.js')}return Array.from(xs, price => number(price, 6))"


@dataclass(frozen=True)
class Edge:
    """The renderers of the marks: Any, because Bokeh's types know no glyph's colours."""

    candles: list[Any]
    fan: list[Any]
    intervals: list[Any]
    labels: list[Any]


def edge(price: figure, prices: DataRange1d, bars: ColumnDataSource, fan: ColumnDataSource) -> Edge:
    """Put them on the plot: a triangle for a candle or the fan, a line along the edge for intervals. Of the candles in
    view, the farthest at each edge has its price written beside it."""
    price.extra_y_ranges = {NAME: Range1d(start=0, end=1)}
    filters: list[CustomJSFilter] = []

    def shown(source: ColumnDataSource, column: str, upper: bool, farthest: bool = False) -> dict[str, Any]:
        arguments = {"x": price.x_range, "y": prices, "column": column, "upper": upper, "farthest": farthest}
        filters.append(CustomJSFilter(args=arguments, code=asset("beyond.js")))
        return {"source": source, "view": CDSView(filter=filters[-1]), "y_range_name": NAME}

    def triangle(source: ColumnDataSource, column: str, inset: float, upper: bool) -> Any:
        marker, y = ("triangle", 1 - inset) if upper else ("inverted_triangle", inset)
        return price.scatter("time", y, marker=marker, size=8, name=f"beyond {column}", **shown(source, column, upper))

    def line(column: str, upper: bool) -> Any:
        y = 1 - LINE if upper else LINE
        return price.scatter(
            "time", y, marker="dash", size=4, line_width=1.5, name=f"beyond {column}", **shown(bars, column, upper)
        )

    def label(column: str, upper: bool) -> Any:
        text = field(column, CustomJSTransform(v_func=LABEL))
        looks: dict[str, Any] = {"x_offset": 7, "text_baseline": "middle", "text_font_size": "11px"}
        y = 1 - CANDLE if upper else CANDLE
        return price.text("time", y, text=text, **looks, **shown(bars, column, upper, farthest=True))

    made = Edge(
        candles=[triangle(bars, "high", CANDLE, upper=True), triangle(bars, "low", CANDLE, upper=False)],
        fan=[triangle(fan, "q95", FAN, upper=True), triangle(fan, "q05", FAN, upper=False)],
        intervals=[line("upper", upper=True), line("lower", upper=False)],
        labels=[label("high", upper=True), label("low", upper=False)],
    )
    again = CustomJS(args={"filters": filters}, code="for (const filter of filters) filter.change.emit()")
    for moved in (price.x_range, prices):
        moved.js_on_change("start", again)
        moved.js_on_change("end", again)
    return made

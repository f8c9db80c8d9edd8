"""The panes of the chosen indicators, one below the other on the time axis of the prices."""

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
from bokeh.models.annotations.geometry import Span
from bokeh.models.callbacks import CustomJS
from bokeh.models.formatters import CustomJSTickFormatter
from bokeh.models.layouts import Column, Spacer
from bokeh.models.ranges import DataRange1d
from bokeh.models.tickers import BasicTicker
from bokeh.models.tools import CrosshairTool, HoverTool, PanTool, WheelZoomTool
from bokeh.plotting import figure

from dashboard.html import heading
from dashboard.live.charts import Market, amounts, begun, empty, feed, plot
from dashboard.live.columns import Columns
from dashboard.live.look import Look
from dashboard.live.plot_tools import number_hover, tip
from dashboard.number_format import currencies
from dashboard.sheets import sheet
from dashboard.site_page import texts
from dashboard.time_axis import moment
from features.table import FEATURES

HEIGHT = 92
PRESS = "pane:"
"""What the name of the button begins with that takes a pane away."""
UNITS = {name: unit for feature in FEATURES for name, unit in zip(feature.names, feature.units, strict=True)}
SAID = {
    "percent of price": "% of the price",
    "percent": "%",
    "1": "",
    "amount": "",
    "since the beginning": "sum since the beginning",
    "yes or no": "1 is yes",
}
"""How a unit of the features is written beside a plot, where it is not as it is called."""
COUNT = """const count = (host.children.length - 1) / 2
document.body.dataset.panes = count
document.body.style.setProperty("--panes", count)"""
NOTHING: Columns = {"time": np.empty(0), "value": np.empty(0)}


def unit_of(name: str, quote: str) -> str:
    """Return the unit of an indicator; one of a longer timeframe has that of its column.

    >>> unit_of("sma_12", "USDT"), unit_of("rsi_14@15m", "USDT"), unit_of("log_return_1", "USDT")
    ('USDT', '%', 'log return')
    """
    unit = UNITS.get(name.partition("@")[0], "")
    return quote if unit in ("price", "price change") else SAID.get(unit, unit)


def remover(name: str) -> str:
    """Return the button that takes a pane away."""
    words = escape(f"Remove {name}")
    return f'<button type="button" data-press="{escape(PRESS + name)}" aria-label="{words}" title="{words}">✕</button>'


class Pane:
    """One indicator's plot and title."""

    def __init__(self, name: str, market: Market, cross: Span) -> None:
        self.name, self.drawn, self.frame, self.zone = name, NOTHING, "", "UTC"
        self.title = texts([f"{name}_pane"])[f"{name}_pane"]
        self.range = DataRange1d(range_padding=0.12, only_visible=True)
        shown: dict[str, Any] = {"sizing_mode": "stretch_width", "height": HEIGHT}
        axes: dict[str, Any] = {"x_range": market.x_range, "y_range": self.range, "window_axis": "x"}
        self.plot: figure = plot(name=f"pane {name}", **axes, **shown)
        self.plot.xaxis.visible = False
        formatter: CustomJSTickFormatter = amounts(short=True)
        self.plot.yaxis.formatter = formatter
        self.plot.yaxis.ticker = BasicTicker(desired_num_ticks=3)
        self.source = empty("time", "value")
        self.line = self.plot.line("time", "value", source=self.source, line_width=1.4)
        self.start = begun(self.plot)
        self.hover = HoverTool(
            renderers=[self.line],
            mode="vline",
            tooltips=tip("@time{custom}", {name: "@value{custom}"}),
            formatters={"@time": moment(), "@value": number_hover()},
            point_policy="follow_mouse",
            attachment="horizontal",
            show_arrow=False,
        )
        tools = (PanTool(dimensions="width"), WheelZoomTool(dimensions="width"))
        self.plot.add_tools(*tools, self.hover, CrosshairTool(overlay=cross))
        self.plot.toolbar.active_drag, self.plot.toolbar.active_scroll = tools

    def draw(self, found: Columns | None, symbol: str, frame: str, shift: float, look: Look) -> None:
        """Draw what is known of it; None is that it is not stored."""
        columns = found or NOTHING
        shown = {"time": columns["time"] + shift, "value": columns["value"]}
        feed(self.source, self.drawn if frame == self.frame else None, shown)
        self.drawn, self.frame = shown, frame
        known = bool(np.isfinite(columns["value"]).any())
        if self.start.visible == known:
            self.start.visible = not known
        self.line.glyph.line_color = look.palette.hit
        unit = ", ".join(filter(None, (unit_of(self.name, currencies(symbol)[1]), "" if known else "not stored here")))
        sheet(self.plot, self.source, {"time": "time [UTC]", "value": f"{self.name} [{unit or 'number'}]"})
        text = heading(self.name, unit, [remover(self.name)])
        if self.title.text != text:
            self.title.text = text
        if self.zone != look.clock.name:
            self.zone = look.clock.name
            self.hover.formatters = {**self.hover.formatters, "@time": moment(look.clock.name)}


class Panes:
    """The panes in their order: one that stays is not made anew."""

    def __init__(self, market: Market, cross: Span) -> None:
        self.market, self.cross = market, cross
        self.panes: dict[str, Pane] = {}
        self.head = Spacer(height=0)  # a column without anything in it is warned of
        self.column = Column(name="panes", sizing_mode="stretch_width", spacing=2)
        self.column.children = [self.head]
        self.count = CustomJS(args={"host": self.column}, code=COUNT)
        """Tells the style sheet how many there are."""
        self.column.js_on_change("children", self.count)

    def choose(self, names: tuple[str, ...]) -> None:
        """Have a pane for each of these."""
        if tuple(self.panes) == names:
            return
        self.panes = {name: self.panes.get(name) or Pane(name, self.market, self.cross) for name in names}
        self.column.children = [self.head, *(part for pane in self.panes.values() for part in (pane.title, pane.plot))]

    def draw(self, found: Mapping[str, Columns], symbol: str, frame: str, shift: float, look: Look) -> None:
        """Draw what is known of each."""
        for name, pane in self.panes.items():
            pane.draw(found.get(name), symbol, frame, shift, look)

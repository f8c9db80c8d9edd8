"""The plots whose horizontal axis is not the time: reliability, PIT histogram, sharpness and errors by hour."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models.annotations.geometry import Span
from bokeh.models.formatters import BasicTickFormatter, CustomJSTickFormatter
from bokeh.models.ranges import FactorRange, Range1d
from bokeh.models.sources import ColumnDataSource
from bokeh.models.tickers import BasicTicker, FixedTicker
from bokeh.models.tools import HoverTool

from dashboard.analytics.forecasts_reader import HOURS, Sharpness
from dashboard.analytics.line_plot import FORMATS
from dashboard.fill import fill
from dashboard.live.charts import plot
from dashboard.live.plot_tools import tip
from dashboard.palette import Palette
from dashboard.sheets import sheet
from evaluation.breakdown import GroupScore
from evaluation.calibration import EDGES, PitBin, ReliabilityPoint

BASIS_POINT = 1e-4
FIVE, QUARTER, HALF, UPPER, MOST = range(5)
NEAR = 0.02
"""The reliability's range never shows less than this around an even chance: noise would look like news."""


def bare(name: str, **settings: Any) -> Any:
    """Return a plot with no time axis."""
    made = plot(name=name, x_axis_type="auto", min_border_right=46, min_border_left=12, **settings)
    made.xaxis.formatter = BasicTickFormatter()
    return made


def hover(head: str, rows: dict[str, str], renderer: Any) -> HoverTool:
    """Return a tooltip of one renderer."""
    return HoverTool(tooltips=tip(head, rows), renderers=[renderer], show_arrow=False)


class ReliabilityPlot:
    """The share that rose against p_up, with the diagonal of a calibrated one."""

    def __init__(self) -> None:
        self.source = ColumnDataSource({name: [] for name in ("p_up", "rose", "low", "high", "rows")})
        self.x, self.y = Range1d(start=0.45, end=0.55), Range1d(start=0.45, end=0.55)
        self.plot = bare("reliability", x_range=self.x, y_range=self.y)
        self.plot.xaxis.axis_label, self.plot.yaxis.axis_label = "probability of a rise", "share that rose"
        for axis in (self.plot.xaxis, self.plot.yaxis):
            axis.formatter = CustomJSTickFormatter(code=FORMATS["percent"])
            axis.ticker = BasicTicker(desired_num_ticks=5)
        self.even = self.plot.line([0.0, 1.0], [0.0, 1.0], line_dash=[5, 4]).glyph
        self.whisker = self.plot.segment("p_up", "low", "p_up", "high", source=self.source, line_width=2).glyph
        self.line = self.plot.line("p_up", "rose", source=self.source, line_width=1.5).glyph
        points = self.plot.scatter("p_up", "rose", source=self.source, size=8, line_color=None)
        self.points = points.glyph
        rows = {
            "rose": "@rose{0.0 %}",
            "95 % interval": "@low{0.0 %} to @high{0.0 %}",
            "forecasts": "@rows{0,0}",
        }
        self.plot.add_tools(hover("p(up) @p_up{0.0 %}", rows, points))
        ends = {"low": "95 % interval, lower end [share]", "high": "95 % interval, upper end [share]"}
        columns = {"p_up": "p(up) [share]", "rose": "rose [share]", **ends, "rows": "forecasts"}
        sheet(self.plot, self.source, columns)

    def draw(self, points: Sequence[ReliabilityPoint]) -> None:
        """Draw the points, or none."""
        names = ReliabilityPoint._fields
        fill(self.source, {name: [point[place] for point in points] for place, name in enumerate(names)})
        known = [value for point in points for value in (point.p_up, point.low, point.high)]
        low, high = min([0.5 - NEAR, *known]), max([0.5 + NEAR, *known])
        room = 0.05 * (high - low)
        for axis in (self.x, self.y):
            axis.start, axis.end = max(low - room, -0.02), min(high + room, 1.02)

    def paint(self, colour: str, palette: Palette) -> None:
        """Colour it: the points are the model's."""
        self.even.line_color = palette.muted
        self.points.fill_color = self.line.line_color = self.whisker.line_color = colour


class PitPlot:
    """The histogram of the probability integral transform, with the limits of calibrated forecasts."""

    def __init__(self) -> None:
        self.source = ColumnDataSource({name: [] for name in PitBin._fields})
        self.y = Range1d(start=0.0, end=2.0)
        self.plot = bare("pit", x_range=Range1d(start=0.0, end=1.0), y_range=self.y)
        self.plot.xaxis.formatter = CustomJSTickFormatter(code=FORMATS["whole percent"])
        self.plot.xaxis.axis_label, self.plot.yaxis.axis_label = "level of the forecast", "density"
        self.plot.xaxis.ticker = FixedTicker(ticks=[float(edge) for edge in EDGES[[0, 3, 4, 5, 8]]])
        bars = self.plot.quad("start", "end", "density", 0, source=self.source, line_width=1, fill_alpha=0.55)
        self.bars = bars.glyph
        limits = self.plot.quad("start", "end", "high", "low", source=self.source, line_color=None, fill_alpha=0.3)
        self.limits = limits.glyph
        self.one = Span(location=1.0, dimension="width", line_dash=[5, 4])
        self.plot.add_layout(self.one)
        rows = {
            "share": "@share{0.0 %}",
            "density": "@density{0.00}",
            "calibrated": "@low{0.00} to @high{0.00}",
        }
        self.plot.add_tools(hover("@start{0 %} to @end{0 %}", rows, bars))
        shown = {"start": "from level [share]", "end": "to level [share]", "share": "forecasts [share]"}
        limits = {"low": "density if calibrated, lower end", "high": "density if calibrated, upper end"}
        sheet(self.plot, self.source, {**shown, "density": "density", **limits})

    def draw(self, bins: Sequence[PitBin]) -> None:
        """Draw the bins, or none."""
        fill(self.source, {name: [one[place] for one in bins] for place, name in enumerate(PitBin._fields)})
        self.y.end = 1.1 * max([1.5, *(max(one.density, min(one.high, 2.5)) for one in bins)])

    def paint(self, colour: str, palette: Palette) -> None:
        """Colour it."""
        self.bars.fill_color, self.bars.line_color = colour, palette.card
        self.limits.fill_color, self.one.line_color = palette.muted, palette.muted


class SharpnessPlot:
    """How wide each model's 90 % interval is: a box from the quartiles, a whisker from 5 to 95 % of the forecasts."""

    def __init__(self) -> None:
        names = ("model", "least", "lower", "median", "upper", "most", "forecasts", "colour")
        self.source = ColumnDataSource({name: [] for name in names})
        self.models = FactorRange(factors=[])
        self.x = Range1d(start=0.0, end=1.0)
        self.plot = bare("sharpness", x_range=self.x, y_range=self.models, y_axis_location="left")
        self.plot.ygrid.visible = False
        self.plot.xgrid.visible = True
        self.plot.xaxis.ticker = BasicTicker(desired_num_ticks=5)
        self.plot.xaxis.axis_label = "width of the 90 % interval, bp"
        colour = {"line_color": "colour"}
        self.plot.segment("least", "model", "most", "model", source=self.source, line_width=2, **colour)
        box = self.plot.hbar(
            "model", 0.5, "upper", "lower", source=self.source, fill_color="colour", fill_alpha=0.55, **colour
        )
        self.middle = self.plot.scatter("median", "model", source=self.source, size=9, marker="dash", angle=np.pi / 2)
        self.middle.glyph.line_width = 2.5
        rows = {
            "median": "@median{0.0} bp",
            "half of them": "@lower{0.0} to @upper{0.0} bp",
            "90 % of them": "@least{0.0} to @most{0.0} bp",
            "forecasts": "@forecasts{0,0}",
        }
        self.plot.add_tools(hover("@model", rows, box))
        levels = {"least": "5 %", "lower": "25 %", "median": "median", "upper": "75 %", "most": "95 %"}
        widths = {name: f"width of the 90 % interval, {level} [bp]" for name, level in levels.items()}
        sheet(self.plot, self.source, {"model": "model", **widths, "forecasts": "forecasts"})

    def draw(self, rows: Sequence[Sharpness], colours: Mapping[str, str], palette: Palette) -> None:
        """Draw a box a model, the narrowest on top."""
        ordered = sorted(rows, key=lambda row: -row.widths[HALF])
        self.models.factors = [row.model for row in ordered]
        widths = np.array([row.widths for row in ordered]).reshape(len(ordered), MOST + 1) / BASIS_POINT
        columns = {
            "model": [row.model for row in ordered],
            "least": widths[:, FIVE],
            "lower": widths[:, QUARTER],
            "median": widths[:, HALF],
            "upper": widths[:, UPPER],
            "most": widths[:, MOST],
            "forecasts": [row.forecasts for row in ordered],
            "colour": [colours.get(row.model, palette.baseline) for row in ordered],
        }
        fill(self.source, columns)
        self.x.end = 1.05 * float(widths.max(initial=1.0))
        self.middle.glyph.line_color = palette.ink


class HourPlot:
    """The mean absolute error by hour of the day (UTC)."""

    def __init__(self) -> None:
        names = ("hour", "error", "skill", "coverage", "forecasts", "gain", "covered")
        self.source = ColumnDataSource({name: [] for name in names})
        self.y = Range1d(start=0.0, end=1.0)
        self.plot = bare("by_hour", x_range=Range1d(start=-0.6, end=len(HOURS) - 0.4), y_range=self.y)
        self.plot.xaxis.ticker = FixedTicker(ticks=list(range(0, len(HOURS), 3)))
        self.plot.xaxis.axis_label, self.plot.yaxis.axis_label = "hour of the forecast, UTC", "mean absolute error, bp"
        bars = self.plot.vbar("hour", 0.75, "error", 0, source=self.source, line_color=None)
        self.bars = bars.glyph
        rows = {
            "error": "@error{0.0} bp",
            "pinball skill": "@skill",
            "coverage": "@coverage",
            "forecasts": "@forecasts{0,0}",
        }
        self.plot.add_tools(hover("@hour{00}:00 to @hour{00}:59 UTC", rows, bars))
        shares = {"gain": "pinball skill [share]", "covered": "coverage [share]"}
        shown = {"hour": "hour of the forecast, UTC", "error": "mean absolute error [bp]", **shares}
        sheet(self.plot, self.source, {**shown, "forecasts": "forecasts"})

    def draw(self, scores: Sequence[GroupScore], percents: Sequence[tuple[str, str]]) -> None:
        """Draw the hours; `percents` are each one's skill and coverage as text."""
        errors = [np.nan if score.error is None else score.error / BASIS_POINT for score in scores]
        columns = {
            "hour": list(range(len(scores))),
            "error": errors,
            "skill": [skill for skill, _ in percents],
            "coverage": [coverage for _, coverage in percents],
            "forecasts": [score.forecasts for score in scores],
            "gain": [np.nan if score.pinball_skill is None else score.pinball_skill for score in scores],
            "covered": [np.nan if score.coverage is None else score.coverage for score in scores],
        }
        fill(self.source, columns)
        self.y.end = 1.08 * max([1.0, *(error for error in errors if np.isfinite(error))])

    def paint(self, colour: str) -> None:
        """Colour the bars."""
        self.bars.fill_color = colour

"""The plots of the tuning page: built once, then fed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bokeh.models.formatters import CategoricalTickFormatter, CustomJSTickFormatter
from bokeh.models.ranges import FactorRange, Range1d
from bokeh.models.sources import ColumnDataSource
from bokeh.models.tickers import BasicTicker, FixedTicker
from bokeh.plotting import figure

from dashboard.fill import fill
from dashboard.palette import Palette
from dashboard.series_colours import MOST, series_colours
from dashboard.sheets import Sheet, offer, sheet
from dashboard.side_plot import hover, side_plot
from dashboard.static_files import asset
from dashboard.time_axis import label_times
from dashboard.together import together
from dashboard.tuning.plot_data import Columns
from learning.tuning.study_table import Parameter

STATE_COLOURS = {"complete": "hit", "pruned": "volume", "fail": "bad", "running": "good", "waiting": "muted"}
"""The colour of a trial's state, by its name in the palette."""
NAMED = {"trial": "@number", "value": "@value{0.00000}"}


def empty(*names: str) -> ColumnDataSource:
    """Return a source with those columns and no row."""
    return ColumnDataSource({name: [] for name in names})


def set_axis(axis: Any, parameter: Parameter) -> None:
    """Write an axis in the parameter's own values: powers of ten where it is drawn from a logarithm, or its choices."""
    if parameter.choices:
        axis.ticker = FixedTicker(ticks=list(range(len(parameter.choices))))
        axis.formatter = CustomJSTickFormatter(
            args={"choices": list(parameter.choices)}, code="return choices[tick] ?? ''"
        )
    else:
        shown = "10 ** tick, 3" if parameter.log else "tick, 6"
        axis.ticker = BasicTicker(desired_num_ticks=5)
        axis.formatter = CustomJSTickFormatter(code=f"{asset('numbers.js')}return number({shown})")
    axis.axis_label = f"{parameter.name} (log)" if parameter.log else parameter.name


@dataclass
class History:
    """The value of each trial and the best so far, of each of the studies."""

    plot: figure = field(default_factory=lambda: side_plot("history", "trial", "value"))

    def __post_init__(self) -> None:
        self.trials = [empty("number", "value") for _ in range(MOST)]
        self.best = [empty("number", "value") for _ in range(MOST)]
        self.points = [self.plot.scatter("number", "value", source=one, size=4, alpha=0.45) for one in self.trials]
        self.lines = [self.plot.step("number", "value", source=one, mode="after", line_width=2.5) for one in self.best]
        hover(self.plot, [*self.points, *self.lines], "@value{0.00000}", {"trial": "@number"}, mode="mouse")

    def paint(self, palette: Palette) -> None:
        """Take the colours of the theme."""
        for point, line, colour in zip(self.points, self.lines, series_colours(palette), strict=True):
            point.glyph.update(fill_color=colour, line_color=None)
            line.glyph.line_color = colour

    def show(self, studies: Sequence[str], columns: list[tuple[Columns, Columns]]) -> None:
        """Draw these studies."""
        shown = {"number": "trial", "value": "value"}
        offer(
            self.plot,
            Sheet(name="complete trials", by="study", columns=shown, sources=zip(studies, self.trials, strict=False)),
            Sheet(name="best so far", by="study", columns=shown, sources=zip(studies, self.best, strict=False)),
        )
        for place in range(MOST):
            trials, best = columns[place] if place < len(columns) else ({"number": [], "value": []},) * 2
            fill(self.trials[place], trials)
            fill(self.best[place], best)


@dataclass
class Distribution:
    """The share of the trials up to a value, of each of the studies."""

    plot: figure = field(default_factory=lambda: side_plot("edf", "value", "share of trials"))

    def __post_init__(self) -> None:
        self.sources = [empty("value", "share") for _ in range(MOST)]
        self.lines = [self.plot.step("value", "share", source=one, mode="after", line_width=2) for one in self.sources]
        hover(self.plot, self.lines, "@share{0 %}", {"at most": "@value{0.00000}"})

    def paint(self, palette: Palette) -> None:
        """Take the colours of the theme."""
        for line, colour in zip(self.lines, series_colours(palette), strict=True):
            line.glyph.line_color = colour

    def show(self, studies: Sequence[str], columns: list[Columns]) -> None:
        """Draw these studies."""
        shown = {"value": "value", "share": "share of the trials up to it"}
        offer(self.plot, Sheet(by="study", columns=shown, sources=zip(studies, self.sources, strict=False)))
        for place, source in enumerate(self.sources):
            fill(source, columns[place] if place < len(columns) else {"value": [], "share": []})


class Importance:
    """A bar for each parameter, the most important one first."""

    def __init__(self) -> None:
        self.names, self.shares = FactorRange(factors=[""]), Range1d(start=0, end=1)
        self.plot = side_plot("importance", "share of the importance", y_range=self.names, x_range=self.shares)
        self.source = empty("name", "share")
        self.bars = self.plot.hbar("name", 0.65, "share", source=self.source, line_color=None)
        self.plot.yaxis.formatter = CategoricalTickFormatter()
        self.plot.ygrid.visible = False
        hover(self.plot, [self.bars], "@name", {"importance": "@share{0.0 %}"})
        sheet(self.plot, self.source, {"name": "parameter", "share": "share of the importance"})

    def paint(self, palette: Palette) -> None:
        """Take the colours of the theme."""
        self.bars.glyph.fill_color = palette.hit

    def show(self, shares: dict[str, float]) -> None:
        """Draw these."""
        ordered = dict(sorted(shares.items(), key=lambda item: item[1]))
        factors = list(ordered) or [""]
        if self.names.factors != factors:
            self.names.factors = factors
        fill(self.source, {"name": list(ordered), "share": list(ordered.values())})
        self.shares.end = 1.05 * max(ordered.values(), default=1.0)


class Parallel:
    """A line for each of the best trials over an axis for each parameter, and the value's on the right."""

    def __init__(self) -> None:
        self.places = Range1d(start=-0.5, end=1.5)
        self.plot = side_plot("parallel", y_range=Range1d(start=-0.16, end=1.12), x_range=self.places)
        self.source = empty("xs", "ys", "colour", "number", "value")
        self.ends = empty("x", "y", "text")
        self.axes, self.count = empty("x", "low", "high"), 0
        self.rules = self.plot.segment("x", "low", "x", "high", source=self.axes)
        lines = self.plot.multi_line(
            "xs", "ys", source=self.source, line_color="colour", line_width=1.2, line_alpha=0.65
        )
        self.texts = self.plot.text(
            "x", "y", "text", source=self.ends, text_align="center", text_baseline="middle", text_font_size="11px"
        )
        self.plot.yaxis.visible = self.plot.grid.visible = False
        self.plot.xaxis.major_label_orientation = 0.5
        hover(self.plot, [lines], "trial @number", {"value": "@value{0.00000}"}, line_policy="nearest")

    def paint(self, palette: Palette) -> None:
        """Take the colours of the theme."""
        self.rules.glyph.line_color = palette.line
        self.texts.glyph.text_color = palette.muted

    def show(self, columns: Columns, heads: list[str], ends: list[tuple[str, str]], parameters: Sequence[str]) -> None:
        """Draw these lines over axes with these names and ends; `parameters` have a column each."""
        count = len(heads)
        if count != self.count:
            self.count = count
            self.plot.xaxis.ticker = FixedTicker(ticks=list(range(count)))
        sheet(self.plot, self.source, {"number": "trial", "value": "value", **{name: name for name in parameters}})
        self.plot.xaxis.major_label_overrides = dict(enumerate(heads))
        self.places.start, self.places.end = -0.5, count - 0.5
        fill(self.axes, {"x": list(range(count)), "low": [0] * count, "high": [1] * count})
        labels = [low for low, _ in ends] + [high for _, high in ends]
        below, above = [-0.07] * count, [1.07] * count
        fill(self.ends, {"x": [*range(count), *range(count)], "y": below + above, "text": labels})
        fill(self.source, columns)


class Points:
    """Trials by a parameter and the value, or by two parameters over areas of like value; the colour is the rank."""

    def __init__(self, name: str, areas: bool = False) -> None:
        self.plot = side_plot(name)
        self.area = empty("xs", "ys", "colour", "from", "to")
        if areas:
            filled = self.plot.multi_polygons(
                "xs", "ys", source=self.area, fill_color="colour", line_color=None, fill_alpha=0.85
            )
            hover(self.plot, [filled], "value", {"from": "@from{0.00000}", "to": "@to{0.00000}"})
        self.source = empty("x", "y", "value", "number", "rank", "colour", "x_text", "y_text")
        self.dots = self.plot.scatter(
            "x", "y", source=self.source, size=3 if areas else 6, fill_color="colour", line_width=0.5
        )
        if not areas:
            rows = {**NAMED, "among the best": "@rank{0.0} %", "x": "@x_text", "y": "@y_text"}
            hover(self.plot, [self.dots], "trial @number", rows)
        self.areas = areas
        self.labelled: tuple[object, ...] = ()

    def paint(self, palette: Palette) -> None:
        """Take the colours of the theme."""
        self.dots.glyph.line_color = palette.card
        if self.areas:
            self.dots.glyph.fill_color = palette.ink

    def show(self, points: Columns, x: Parameter, y: Parameter | None, area: Columns | None = None) -> None:
        """Draw these trials."""
        labelled = tuple((one.name, one.log, one.choices) for one in (x, y) if one is not None)
        if self.labelled != labelled:
            self.labelled = labelled
            with together(self.plot):
                self._label(x, y)
        if area is not None:
            fill(self.area, area)
        fill(self.source, points)

    def _label(self, x: Parameter, y: Parameter | None) -> None:
        columns = {"number": "trial", "value": "value", "x_text": x.name}
        sheet(self.plot, self.source, columns if y is None else {**columns, "y_text": y.name})
        set_axis(self.plot.xaxis[0], x)
        if y is None:
            self.plot.yaxis.axis_label = "value"
        else:
            set_axis(self.plot.yaxis[0], y)


@dataclass
class Intermediate:
    """What trials reported on the way, by step."""

    plot: figure = field(default_factory=lambda: side_plot("intermediate", "step", "value so far"))

    def __post_init__(self) -> None:
        self.source = empty("xs", "ys", "colour", "number", "state")
        lines = self.plot.multi_line(
            "xs", "ys", source=self.source, line_color="colour", line_width=1.5, line_alpha=0.7
        )
        self.plot.xaxis.formatter = CustomJSTickFormatter(code="return String(tick)")
        self.plot.xaxis.ticker = BasicTicker(min_interval=1, num_minor_ticks=0)
        hover(self.plot, [lines], "trial @number", {"state": "@state"}, line_policy="nearest")
        columns = {"number": "trial", "state": "state", "xs": "step", "ys": "value so far"}
        sheet(self.plot, self.source, columns)

    def show(self, columns: Columns) -> None:
        """Draw these."""
        fill(self.source, columns)


@dataclass
class Timeline:
    """When each trial ran."""

    plot: figure = field(default_factory=lambda: side_plot("timeline", "", "trial", x_axis_type="datetime"))

    def __post_init__(self) -> None:
        self.source = empty("start", "end", "number", "state", "seconds", "colour")
        bars = self.plot.hbar(
            "number", 0.8, right="end", left="start", source=self.source, fill_color="colour", line_color="colour"
        )
        label_times(self.plot)
        hover(self.plot, [bars], "trial @number", {"state": "@state", "took": "@seconds"})
        columns = {"number": "trial", "state": "state", "start": "start [UTC]", "end": "end [UTC]"}
        sheet(self.plot, self.source, columns)

    def show(self, columns: Columns, palette: Palette) -> None:
        """Draw these, in the colours of the states."""
        shown = {name: columns[name] for name in ("start", "end", "number", "state", "seconds")}
        colours = [getattr(palette, STATE_COLOURS[state]) for state in columns["state"]]
        fill(self.source, shown | {"colour": colours})

"""The plot of one score of every model over time."""

from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite
from typing import Any

import numpy as np
from bokeh.models.annotations.geometry import Span
from bokeh.models.formatters import CustomJSTickFormatter
from bokeh.models.ranges import Range1d
from bokeh.models.sources import ColumnDataSource
from bokeh.models.tickers import BasicTicker, DatetimeTicker

from dashboard.clock import Clock
from dashboard.fill import fill
from dashboard.live import layers
from dashboard.live.charts import plot
from dashboard.live.columns import Column, Columns
from dashboard.live.plot_tools import score_hover
from dashboard.live.series_reader import SCORE_COLUMNS
from dashboard.number_format import count, percent
from dashboard.palette import Palette, model_dash
from dashboard.sheets import Sheet, offer
from dashboard.time_axis import times
from dashboard.together import together

LEAST_REACH = 0.02
SLOTS = ("time", "text", "top", "bottom")
"""Where one points at a time, and what is then said."""


class Score:
    """Coverage or skill: a line for each model, and one at the reference (the nominal share, or no skill)."""

    def __init__(self, column: str, reference: float, places: int) -> None:
        self.column, self.reference, self.places = column, reference, places
        self.range, self.across = Range1d(), Range1d()
        self.plot = plot(x_range=self.across, y_range=self.range, name=column, min_border_right=50)
        self.plot.yaxis.formatter = CustomJSTickFormatter(
            code=f"return (100 * tick).toFixed({places}).replace('-', '\\u2212') + ' %'"
        )
        self.plot.yaxis.ticker = BasicTicker(desired_num_ticks=4)
        self.plot.xaxis.formatter = times()
        self.plot.xaxis.ticker = DatetimeTicker(desired_num_ticks=5)
        self.base = Span(location=reference, dimension="width", line_dash=[5, 4])
        self.plot.add_layout(self.base)
        self.words = ColumnDataSource({name: [] for name in SLOTS})
        self.slots = self.plot.vbar("time", 1, "top", "bottom", source=self.words, alpha=0)
        self.plot.add_tools(score_hover(self.slots))
        self.sources: dict[str, ColumnDataSource] = {}
        self.lines: dict[str, Any] = {}
        self.scores: Mapping[str, Columns] | None = None
        self.clock = Clock()
        self.hidden: frozenset[str] = frozenset()

    def without_line(self, scores: Mapping[str, Columns]) -> list[str]:
        """Return the models that have no line yet."""
        return sorted(set(scores) - set(self.sources))

    def draw(self, scores: Mapping[str, Columns], colours: Mapping[str, str], palette: Palette, clock: Clock) -> None:
        """Draw the scores of each model; a model that is new gets its line. What is drawn already is not sent again."""
        if scores is self.scores and clock == self.clock:
            return
        self.scores = scores
        for model, source in self.sources.items():
            fill(source, scores.get(model) or {name: np.empty(0) for name in SCORE_COLUMNS})
        if new := self.without_line(scores):
            with together(self.plot):
                for model in new:
                    self._add(model, scores[model], colours.get(model, palette.baseline))
                columns = {"time": "time [UTC]", self.column: f"{self.column} [share]", "scored": "outcomes"}
                offer(self.plot, Sheet(by="model", columns=columns, sources=self.sources.items()))
        if clock != self.clock:
            self.clock, self.plot.xaxis.formatter = clock, times(clock.name)
        self.paint(colours, palette, self.hidden)
        self.range.start, self.range.end = reach([one[self.column] for one in scores.values()], self.reference)
        self._across(scores, clock)

    def _add(self, model: str, scores: Columns, colour: str) -> None:
        """Add the line of a model."""
        self.sources[model] = ColumnDataSource({**scores})
        self.lines[model] = self.plot.line(
            "time",
            self.column,
            source=self.sources[model],
            name=model,
            line_width=1.8,
            line_color=colour,
            line_dash=list(model_dash(model)),
            visible=layers.of_model(model) not in self.hidden,
        )

    def _across(self, scores: Mapping[str, Columns], clock: Clock) -> None:
        """Set what depends on the times: the ends of the axis, and the tooltips."""
        moments = np.unique(np.concatenate([np.empty(0), *(one["time"] for one in scores.values())]))
        self.plot.xaxis.visible = bool(len(moments))
        if not len(moments):
            fill(self.words, {name: [] for name in SLOTS})
            return
        width = float(np.median(np.diff(moments))) if len(moments) > 1 else 1.0
        x_range = self.across
        x_range.start, x_range.end = moments[0] - width / 2, moments[-1] + width / 2
        x_range.reset_start, x_range.reset_end = x_range.start, x_range.end
        self.slots.glyph.width = width
        words = {
            "time": moments,
            "text": said(scores, self.column, self.places, moments.tolist(), clock),
            "top": np.full(len(moments), self.range.end),
            "bottom": np.full(len(moments), self.range.start),
        }
        fill(self.words, words)

    def paint(self, colours: Mapping[str, str], palette: Palette, hidden: frozenset[str]) -> None:
        """Colour and dash the lines as their models', and show those that are not switched off."""
        self.hidden = hidden
        self.base.line_color = palette.muted
        for model, line in self.lines.items():
            line.glyph.line_color = colours.get(model, palette.baseline)
            line.glyph.line_dash = list(model_dash(model))
            line.visible = layers.of_model(model) not in hidden


def said(scores: Mapping[str, Columns], column: str, places: int, moments: Sequence[float], clock: Clock) -> list[str]:
    """Return every model's score at each of the times as a tooltip's text, the highest first."""
    known: dict[float, list[tuple[float, str, float]]] = {}
    for model, one in scores.items():
        for moment, value, scored in zip(*(one[name].tolist() for name in ("time", column, "scored")), strict=True):
            if isfinite(value):
                known.setdefault(moment, []).append((value, model, scored))
    head, names = escape(column), {model: escape(model) for model in scores}
    digits, sign = max(places, 1), column == "skill"
    texts = []
    for moment in moments:
        rows = "".join(
            f"<dt>{names[model]}</dt><dd>{percent(value, digits, sign)} of {count(scored)}</dd>"
            for value, model, scored in sorted(known.get(moment, ()), reverse=True)
        )
        texts.append(f"<b>{head} up to {clock.moment(moment)}</b><dl>{rows}</dl>")
    return texts


def reach(values: list[Column], around: float) -> tuple[float, float]:
    """Return a range that holds all values and the reference, never so narrow that noise looks like news."""
    known = np.concatenate([np.array([around - LEAST_REACH, around + LEAST_REACH]), *values])
    known = known[np.isfinite(known)]
    margin = 0.08 * float(np.ptp(known))
    return float(known.min()) - margin, float(known.max()) + margin

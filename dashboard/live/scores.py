"""The plot of one score of every model over time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from bokeh.models.annotations.geometry import Span
from bokeh.models.formatters import CustomJSTickFormatter
from bokeh.models.ranges import Range1d
from bokeh.models.sources import ColumnDataSource
from bokeh.models.tickers import BasicTicker, DatetimeTicker

from dashboard.live.charts import empty, plot
from dashboard.live.columns import Column, Columns
from dashboard.live.plot_tools import score_hover
from dashboard.live.series_reader import SCORE_COLUMNS
from dashboard.palette import Palette
from models.skill import NAIVE

LEAST_REACH = 0.02


class Score:
    """Coverage or skill: a line for each model, and one at the reference (the nominal share, or no skill)."""

    def __init__(self, column: str, reference: float, places: int) -> None:
        self.column, self.reference = column, reference
        self.range = Range1d()
        self.plot = plot(y_range=self.range, name=column, min_border_right=50)
        self.plot.yaxis.formatter = CustomJSTickFormatter(
            code=f"return (100 * tick).toFixed({places}).replace('-', '\\u2212') + ' %'"
        )
        self.plot.yaxis.ticker = BasicTicker(desired_num_ticks=4)
        self.plot.xaxis.ticker = DatetimeTicker(desired_num_ticks=5)
        self.base = Span(location=reference, dimension="width", line_dash=[5, 4])
        self.plot.add_layout(self.base)
        self.plot.add_tools(score_hover(column))
        self.sources: dict[str, ColumnDataSource] = {}
        self.lines: dict[str, Any] = {}
        self.drawn: Mapping[str, Columns] | None = None

    def draw(self, scores: Mapping[str, Columns], colours: Mapping[str, str], palette: Palette) -> None:
        """Draw the scores of each model; a model that is new gets its line. What is drawn already is not sent again."""
        if scores is self.drawn:
            return
        self.drawn = scores
        for model in sorted(set(scores) - set(self.sources)):
            self.sources[model] = empty(*SCORE_COLUMNS)
            line = self.plot.line("time", self.column, source=self.sources[model], name=model, line_width=1.8)
            self.lines[model] = line.glyph
        self.paint(colours, palette)
        for model, source in self.sources.items():
            source.data = {**(scores.get(model) or {name: np.empty(0) for name in SCORE_COLUMNS})}
        self.range.start, self.range.end = reach([one[self.column] for one in scores.values()], self.reference)

    def paint(self, colours: Mapping[str, str], palette: Palette) -> None:
        """Colour the lines; the baseline's is dashed, so that it is distinct without colour too."""
        self.base.line_color = palette.muted
        for model, line in self.lines.items():
            line.line_color = colours.get(model, palette.baseline)
            line.line_dash = [4, 3] if model == NAIVE else "solid"


def reach(values: list[Column], around: float) -> tuple[float, float]:
    """Return a range that holds all values and the reference, never so narrow that noise looks like news."""
    known = np.concatenate([np.array([around - LEAST_REACH, around + LEAST_REACH]), *values])
    known = known[np.isfinite(known)]
    margin = 0.08 * float(np.ptp(known))
    return float(known.min()) - margin, float(known.max()) + margin

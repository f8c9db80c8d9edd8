"""The plots of the training page: built once, then fed."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np
from bokeh.models.formatters import CustomJSTickFormatter
from bokeh.models.ranges import DataRange1d
from bokeh.models.sources import ColumnDataSource
from bokeh.models.tickers import BasicTicker

from dashboard.palette import Palette
from dashboard.series_colours import MOST, series_colours
from dashboard.sheets import Sheet, offer
from dashboard.side_plot import hover, side_plot
from dashboard.thinning import envelope
from learning.tracking.mlflow_reader import Curve

MOST_POINTS = 800
"""The most points of a curve that are sent to the browser: of the rest only the highest and lowest are seen."""


KINDS = {"loss": ("held out", "in training"), "cpu": ("CPU", "GPU"), "memory": ("process", "GPU")}
"""What the full and the dashed lines of a plot are."""


class CurvePlot:
    """A curve of each of several runs, or two: the first is drawn full, the second dashed.

    What the viewer has zoomed into stays, and is drawn in more detail.
    """

    def __init__(
        self, name: str, x_label: str, y_label: str = "", marks: bool = False, from_zero: bool = False
    ) -> None:
        self.range = DataRange1d(range_padding=0.03)
        self.plot = side_plot(name, x_label, y_label, x_range=self.range)
        if from_zero:
            self.plot.y_range = DataRange1d(start=0, range_padding=0.1)
        self.sources = [[ColumnDataSource({"x": [], "y": [], "run": []}) for _ in range(MOST)] for _ in range(2)]
        self.lines = [
            [self.plot.line("x", "y", source=source, line_width=width, line_dash=dash) for source in sources]
            for sources, width, dash in zip(self.sources, (2.0, 1.2), ("solid", "dashed"), strict=True)
        ]
        self.dots: list[Any] = (
            [self.plot.scatter("x", "y", source=one, size=7) for one in self.sources[0]] if marks else []
        )
        if marks:
            self.plot.xaxis.ticker = BasicTicker(min_interval=1, num_minor_ticks=0)
            self.plot.xaxis.formatter = CustomJSTickFormatter(code="return String(tick)")
        drawn = [*self.lines[0], *self.lines[1]]
        hover(self.plot, self.dots or drawn, "@run", {x_label: "@x{0,0}", "value": "@y{0.0[0000]}"})
        told = list(zip(KINDS.get(name, ("", "")), self.sources, strict=True))
        sources = [(kind, source) for kind, sources in told for source in sources]
        heading = y_label if name == "loss" else f"value [{y_label}]"
        columns = {"run": "run", "x": f"{x_label} [s]" if x_label == "seconds" else x_label, "y": heading}
        offer(self.plot, Sheet(columns=columns, sources=sources, by="rows"))
        self._shown: dict[tuple[int, int], tuple[Curve, str, tuple[float, float] | None]] = {}

    def paint(self, palette: Palette) -> None:
        """Take the colours of the theme."""
        colours = series_colours(palette)
        for lines in self.lines:
            for line, colour in zip(lines, colours, strict=True):
                line.glyph.line_color = colour
        for dot, colour in zip(self.dots, colours, strict=False):
            dot.glyph.update(fill_color=colour, line_color=None)

    def show(self, runs: Sequence[str], names: Mapping[str, str], curves: Sequence[Mapping[str, Curve]]) -> None:
        """Draw the curves of these runs by their ids: one mapping for the full lines, perhaps one for the dashed."""
        view = self._view()
        for kind, sources in enumerate(self.sources):
            for place, source in enumerate(sources):
                run = runs[place] if place < len(runs) else ""
                curve = curves[kind].get(run) if kind < len(curves) else None
                self._feed((kind, place), source, curve, names.get(run, run), view)

    def _feed(
        self,
        key: tuple[int, int],
        source: ColumnDataSource,
        curve: Curve | None,
        run: str,
        view: tuple[float, float] | None,
    ) -> None:
        """Send a curve if it is another than before, or another part of a long one is looked at."""
        if curve is None or not len(curve.step):
            if self._shown.pop(key, None):
                source.data = {"x": [], "y": [], "run": []}
            return
        looked_at = view if len(curve.step) > MOST_POINTS else None
        before = self._shown.get(key)
        if before and before[1:] == (run, looked_at) and _same(before[0], curve):
            return
        rows = envelope(curve.step, curve.value, MOST_POINTS, looked_at)
        source.data = {"x": curve.step[rows], "y": curve.value[rows], "run": [run] * len(rows)}
        self._shown[key] = (curve, run, looked_at)

    def _view(self) -> tuple[float, float] | None:
        ends = [self.range.start, self.range.end]
        known = [float(end) for end in ends if isinstance(end, int | float) and isfinite(end)]
        return (known[0], known[1]) if len(known) == 2 else None


def _same(one: Curve, other: Curve) -> bool:
    return one is other or (np.array_equal(one.step, other.step) and np.array_equal(one.value, other.value))

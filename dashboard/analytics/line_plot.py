"""A plot of lines over time: one for each name, at a reference, with bands where there are any."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models.annotations.geometry import Span
from bokeh.models.formatters import CustomJSTickFormatter
from bokeh.models.ranges import Range1d
from bokeh.models.sources import ColumnDataSource
from bokeh.models.tickers import BasicTicker, DatetimeTicker
from bokeh.models.tools import HoverTool

from dashboard.fill import fill
from dashboard.live.charts import plot
from dashboard.live.columns import Columns
from dashboard.live.plot_tools import tip
from dashboard.palette import Palette
from dashboard.sheets import Sheet, offer
from dashboard.time_axis import label_times, moment
from dashboard.together import together
from evaluation.groups import HOUR_MS

MINUS = ".replace('-', '\\u2212')"
BAND_ALPHA = 0.16
MARGIN = 0.08
FORMATS = {
    "percent": f"return (100 * tick).toFixed(1){MINUS} + ' %'",
    "whole percent": f"return (100 * tick).toFixed(0){MINUS} + ' %'",
    "number": f"return String(Math.round(tick * 1000) / 1000){MINUS}",
    "power": "return tick >= 1 && tick < 1e4 ? String(Math.round(tick)) : tick.toPrecision(1).replace('e+', 'e')",
}


@dataclass(frozen=True, kw_only=True)
class Axis:
    """What a plot's numbers are: a key of `FORMATS`, the tooltip's format, the references, and the least range.

    `reference` is a dashed line, `limits` are further ones; `least` is what the range holds at least.
    """

    format: str
    tip: str
    reference: float | None = None
    limits: tuple[float, ...] = ()
    least: tuple[float, float] | None = None
    log: bool = False


class LinePlot:
    """Lines with the columns `time` and `value` and those of the tooltip; bands have `time`, `low` and `high`."""

    def __init__(self, name: str, axis: Axis, rows: Mapping[str, str], heading: str, by: str = "model") -> None:
        self.axis, self.rows, self.heading, self.by = axis, dict(rows), heading, by
        self.times, self.range = Range1d(), Range1d()
        scale = "log" if axis.log else "linear"
        self.plot = plot(x_range=self.times, y_range=self.range, name=name, min_border_right=58, y_axis_type=scale)
        self.plot.yaxis.formatter = CustomJSTickFormatter(code=FORMATS[axis.format])
        if not axis.log:
            self.plot.yaxis.ticker = BasicTicker(desired_num_ticks=4)
        self.plot.xaxis.ticker = DatetimeTicker(desired_num_ticks=4)
        label_times(self.plot)
        self.spans = [
            Span(location=value, dimension="width", line_dash=[5, 4])
            for value in ((axis.reference,) if axis.reference is not None else ()) + axis.limits
        ]
        for span in self.spans:
            self.plot.add_layout(span)
        self.sources: dict[str, ColumnDataSource] = {}
        self.lines: dict[str, Any] = {}
        self.bands: dict[str, tuple[ColumnDataSource, Any]] = {}
        head = {"at": "@time{custom}", "value": f"@value{{{axis.tip}}}"}
        self.hover = HoverTool(
            tooltips=tip("$name", head | self.rows),
            formatters={"@time": moment()},
            line_policy="nearest",
            show_arrow=False,
            renderers=[],
        )
        self.plot.add_tools(self.hover)
        self.painted: tuple[Mapping[str, str], Palette, Mapping[str, list[int]]] | None = None

    def limit(self, *values: float) -> None:
        """Move the further lines: there are as many as the axis was made with."""
        for span, value in zip(self.spans[len(self.spans) - len(values) :], values, strict=True):
            span.location = value

    def draw(self, lines: Mapping[str, Columns], bands: Mapping[str, Columns] | None = None) -> None:
        """Draw these lines and bands, and no others."""
        bands = bands or {}
        columns = [column for column in self.rows.values() if column.startswith("@")]
        extra = [column[1:].partition("{")[0] for column in columns]
        for name, source in self.sources.items():
            found = lines.get(name)
            names = "time", "value", *extra
            fill(source, {column: np.empty(0) if found is None else found[column] for column in names})
        for name, (source, _) in self.bands.items():
            shown = bands.get(name)
            ends = "time", "low", "high"
            fill(source, {column: np.empty(0) if shown is None else shown[column] for column in ends})
        new_bands, new_lines = sorted(set(bands) - set(self.bands)), sorted(set(lines) - set(self.sources))
        if new_bands or new_lines:
            with together(self.plot):
                for name in new_bands:
                    self._add_band(name, bands[name])
                self._add_lines({name: {c: lines[name][c] for c in ("time", "value", *extra)} for name in new_lines})
                self._offer()
        times = [one["time"] for one in lines.values() if len(one["time"])]
        if times:
            begin, end = min(float(time[0]) for time in times), max(float(time[-1]) for time in times)
            room = 0.02 * (end - begin) or HOUR_MS
            self.times.start, self.times.end = begin - room, end + room
        values = [one["value"] for one in lines.values()]
        values += [one[side] for one in bands.values() for side in ("low", "high")]
        self.range.start, self.range.end = reach(self.axis, values, [span.location for span in self.spans])

    def _add_band(self, name: str, band: Columns) -> None:
        source = ColumnDataSource({column: band[column] for column in ("time", "low", "high")})
        area = self.plot.varea(
            "time",
            "low",
            "high",
            source=source,
            fill_color=self._colour(name),
            fill_alpha=BAND_ALPHA,
            level="underlay",
        )
        self.bands[name] = source, area.glyph

    def _add_lines(self, lines: Mapping[str, Columns]) -> None:
        added = []
        for name, columns in lines.items():
            self.sources[name] = ColumnDataSource({**columns})
            line = self.plot.line(
                "time",
                "value",
                source=self.sources[name],
                name=name,
                line_width=1.8,
                line_color=self._colour(name),
                line_dash=self.painted[2].get(name, []) if self.painted else [],
            )
            self.lines[name] = line.glyph
            added.append(line)
        self.hover.renderers = [*self.hover.renderers, *added]

    def _colour(self, name: str) -> str | None:
        """Return the colour of a line or band, if they have any yet."""
        return self.painted[0].get(name, self.painted[1].baseline) if self.painted else None

    def _offer(self) -> None:
        """Offer the lines as a sheet, and the bands as another."""
        extra = {}
        for name, shown in self.rows.items():  # such as "@traded{0.0} times the capital"
            column, unit = shown[1:].partition("{")[0], shown.partition("} ")[2]
            extra[column] = f"{name} [{unit}]" if unit else name
        lines = {"time": "time [UTC]", "value": self.heading, **extra}
        bands = {"time": "time [UTC]", "low": f"{self.heading}, lower end", "high": f"{self.heading}, upper end"}
        sheets = [Sheet(by=self.by, columns=lines, sources=self.sources.items())]
        if self.bands:
            sources = [(name, source) for name, (source, _) in self.bands.items()]
            sheets.append(Sheet(name="bands", by=self.by, columns=bands, sources=sources))
        offer(self.plot, *sheets)

    def paint(
        self, colours: Mapping[str, str], palette: Palette, dashes: Mapping[str, list[int]] | None = None
    ) -> None:
        """Colour what is there; `dashes` are of lines that are not solid."""
        self.painted = colours, palette, dashes or {}
        for span in self.spans:
            span.line_color = palette.muted
        for name, line in self.lines.items():
            line.line_color = colours.get(name, palette.baseline)
            line.line_dash = (dashes or {}).get(name, [])
        for name, (_, area) in self.bands.items():
            area.fill_color = colours.get(name, palette.baseline)


def reach(axis: Axis, values: list[Any], references: list[Any]) -> tuple[float, float]:
    """Return a range that holds all that is known, and never less than the axis' least."""
    known = np.concatenate([np.array([*(axis.least or ()), *references], dtype=np.float64), *values])
    known = known[np.isfinite(known) & ((known > 0) | (not axis.log))]
    if not len(known):
        return (0.5, 2.0) if axis.log else (0.0, 1.0)
    if axis.log:
        low, high = np.log10(known.min()), np.log10(known.max())
        room = max(MARGIN * (high - low), 0.05)
        return float(10 ** (low - room)), float(10 ** (high + room))
    room = MARGIN * float(np.ptp(known)) or 1.0
    return float(known.min()) - room, float(known.max()) + room

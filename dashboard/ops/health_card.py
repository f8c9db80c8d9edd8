"""The heat map of data health: a row for each symbol, a column for each hour."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from html import escape
from typing import Any

from bokeh.models.css import InlineStyleSheet
from bokeh.models.filters import GroupFilter
from bokeh.models.glyphs import Rect
from bokeh.models.ranges import FactorRange
from bokeh.models.renderers import GlyphRenderer
from bokeh.models.sources import CDSView, ColumnDataSource
from bokeh.models.tools import HoverTool, SaveTool
from bokeh.plotting import figure

from dashboard.fill import fill
from dashboard.html import Html, moment
from dashboard.ops.cards import ago
from dashboard.ops.data_health import HOUR, VERDICTS, DataHealth, HourHealth, Verdict
from dashboard.ops.html import note, title
from dashboard.palette import Palette
from dashboard.sheets import sheet
from dashboard.static_files import asset
from dashboard.time_axis import label_times
from dashboard.time_axis import moment as moment_tip
from observability.lag import length
from settings.places import typed

ROW_PX = 16
COLUMNS = ("hour", "symbol", "colour", "hatch", "verdict", "bars", "suspect", "repaired", "gaps")
SHEET = {"hour": "middle of the hour [UTC]", "symbol": "symbol", "verdict": "verdict", "bars": "bars"} | {
    "suspect": "suspect bars", "repaired": "repaired trades", "gaps": "gaps"
}  # fmt: skip
HATCHES: dict[Verdict, str] = {"suspect": "dot", "gap": "right_diagonal_line", "none": "cross"}
"""What tells verdicts apart besides their colours."""
CELL: Mapping[str, Any] = {"x": "hour", "y": "symbol", "width": 0.94 * HOUR.total_seconds() * 1_000, "height": 0.86}
TIP = (
    '<div class="tip"><style>{css}</style><b>@symbol, @hour{{custom}}</b><dl><dt>verdict</dt><dd>@verdict</dd>'
    "<dt>bars</dt><dd>@bars</dd><dt>suspect</dt><dd>@suspect</dd><dt>repaired trades</dt><dd>@repaired</dd>"
    "<dt>gaps</dt><dd>@gaps</dd></dl></div>"
)


def colours(palette: Palette) -> dict[Verdict, str]:
    """Return the colour of each verdict."""
    return {
        "complete": palette.hit_area,
        "repaired": palette.hit,
        "suspect": palette.volume,
        "gap": palette.miss_area,
        "incomplete": palette.miss,
        "none": palette.grid,
    }


class HealthPlot:
    """The plot of one document."""

    def __init__(self) -> None:
        self.source = ColumnDataSource({name: [] for name in COLUMNS})
        self.rows = FactorRange(factors=[])
        self.plot = figure(
            name="health",
            x_axis_type="datetime",
            y_range=self.rows,
            tools=[],
            toolbar_location="above",
            frame_height=ROW_PX,
            sizing_mode="stretch_width",
            output_backend="canvas",
        )
        self.cells = self.plot.rect(
            **CELL,
            fill_color="colour",
            line_color=None,
            source=self.source,
        )
        self.hatched = [self._hatched(pattern) for pattern in HATCHES.values()]
        self.plot.add_tools(self._hover(), SaveTool(filename="foretick-data-health"))
        self.plot.toolbar.logo, self.plot.toolbar.autohide = None, True
        self.plot.toolbar.stylesheets = [InlineStyleSheet(css=asset("toolbar.css"))]
        self.plot.grid.grid_line_color = None
        sheet(self.plot, self.source, SHEET)
        label_times(self.plot)

    def _hatched(self, pattern: str) -> "GlyphRenderer[Rect]":
        """Add what lies over the cells of that pattern.

        One for each pattern: of patterns in a column, the browser makes one for each cell whenever it draws.
        """
        return self.plot.rect(
            **CELL,
            fill_color=None,
            line_color=None,
            hatch_pattern=pattern,
            hatch_scale=10,
            hatch_weight=1,
            hatch_alpha=0.7,
            source=self.source,
            view=CDSView(filter=GroupFilter(column_name="hatch", group=pattern)),
        )

    def _hover(self) -> HoverTool:
        return HoverTool(
            tooltips=TIP.format(css=asset("tooltip.css")),
            formatters={"@hour": moment_tip()},
            renderers=[self.cells],
            show_arrow=False,
        )

    def draw(self, health: DataHealth, palette: Palette) -> None:
        """Draw what was read."""
        by_verdict = colours(palette)
        for over in self.hatched:
            over.glyph.hatch_color = palette.muted
        columns: dict[str, Any] = {name: [] for name in COLUMNS}
        for one in health.hours:
            for name, value in zip(COLUMNS, _cell(one, by_verdict), strict=True):
                columns[name].append(value)
        symbols = sorted(health.newest, reverse=True)
        if list(self.rows.factors) != symbols:
            self.rows.factors = symbols
            self.plot.frame_height = ROW_PX * max(1, len(symbols))
        fill(self.source, columns)


def _cell(one: HourHealth, by_verdict: dict[Verdict, str]) -> tuple[Any, ...]:
    missing = "an unknown number of trades" if one.missing_trades is None else f"{one.missing_trades:,} trades"
    return (
        (one.hour + HOUR / 2).timestamp() * 1_000,
        one.symbol,
        by_verdict[one.verdict],
        HATCHES.get(one.verdict, ""),
        VERDICTS[one.verdict],
        f"{one.bars} of {one.expected}",
        str(one.suspect),
        str(one.repaired),
        f"{one.gaps}, {missing}" if one.gaps else "0",
    )


def heading(health: DataHealth, palette: Palette, interval: str) -> str:
    """Return the title with the legend."""
    if health.end is None:
        text = f"There is no bar of {interval} yet: ./foretick replay FILE brings some."
        return title("Data health") + note(typed(text))
    by_verdict, counted = colours(palette), Counter(one.verdict for one in health.hours)
    entries = []
    for verdict, text in VERDICTS.items():
        box = f'<i class="box {HATCHES.get(verdict, "")}" style="--c:{by_verdict[verdict]}"></i>'
        entries.append(f"<li>{box}{escape(text)} ({counted[verdict]:,})</li>")
    span = Html(f"hours of {interval} bars; the newest began {moment(health.end)}, {ago(health.end)}")
    return title("Data health", span) + f'<ul class="legend">{"".join(entries)}</ul>'


def late(health: DataHealth, interval: timedelta) -> str:
    """Return which symbols are behind the newest one, by event time."""
    if health.end is None:
        return ""
    behind = [(symbol, at) for symbol, at in health.newest.items() if health.end - at > interval]
    if not behind:
        return note(f"No symbol is behind the newest of the {len(health.newest)} by more than a bar.")
    worst = sorted(behind, key=lambda one: one[1])[:10]
    named = ", ".join(f"{symbol} by {length((health.end - at).total_seconds())}" for symbol, at in worst)
    rest = f" and {len(behind) - len(worst)} more" if len(behind) > len(worst) else ""
    return note(f"Behind the newest bar: {named}{rest}.", "stale")

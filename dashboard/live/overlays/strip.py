"""The strip of events below the prices, a lane for each kind, and their lines through the prices."""

from collections.abc import Sequence
from html import escape
from typing import Any

from bokeh.models.annotations.geometry import Span
from bokeh.models.ranges import Range1d
from bokeh.models.sources import ColumnDataSource
from bokeh.models.tools import CrosshairTool, HoverTool

from dashboard.fill import fill
from dashboard.html import heading
from dashboard.live import layers, legend
from dashboard.live.charts import Market, plot
from dashboard.live.edge_markers import NAME
from dashboard.live.event_kinds import KINDS, EventKind
from dashboard.live.look import Look
from dashboard.live.overlays.events import Mark
from dashboard.sheets import sheet
from dashboard.static_files import asset

MARKS = ("time", "start", "lane", "low", "high", "marker", "colour", "text", "kind", "plain")
BAND = 0.28
"""Half the height of the band of a gap, in lanes."""
LINED = {kind.name for kind in KINDS if kind.lined}


class EventStrip:
    """The marks, and what was drawn last."""

    def __init__(self, market: Market, cross: Span) -> None:
        self.plot = plot(
            x_range=market.x_range,
            y_range=Range1d(start=0, end=len(KINDS)),
            name="events",
            min_border_top=2,
            min_border_bottom=0,
        )
        self.plot.axis.visible = self.plot.grid.visible = False
        self.source = ColumnDataSource({name: [] for name in MARKS})
        self.lines = ColumnDataSource({"time": [], "colour": []})
        sheet(self.plot, self.source, {"start": "from [UTC]", "time": "to [UTC]", "kind": "kind", "plain": "event"})
        looks: dict[str, Any] = {"source": self.source, "fill_color": "colour", "line_color": None}
        self.plot.quad("start", "time", "high", "low", fill_alpha=0.45, **looks)
        shown = self.plot.scatter("time", "lane", marker="marker", size=8, **looks)
        shown.nonselection_glyph = None
        self.plot.add_tools(_hover(shown), CrosshairTool(overlay=cross))
        market.price.segment(
            "time",
            0,
            "time",
            1,
            source=self.lines,
            y_range_name=NAME,
            line_color="colour",
            line_dash=[2, 4],
            line_alpha=0.8,
            level="underlay",
            name="event lines",
        )

    def draw(self, marks: Sequence[Mark], look: Look) -> None:
        """Draw the marks of the kinds that are shown."""
        colours = {kind.name: kind.colour(look.palette.dark) for kind in KINDS}
        shown = [mark for mark in marks if layers.of_event(mark.kind) not in look.hidden]
        columns = {
            "time": [mark.time for mark in shown],
            "start": [mark.start for mark in shown],
            "lane": [mark.lane for mark in shown],
            "low": [mark.lane - BAND for mark in shown],
            "high": [mark.lane + BAND for mark in shown],
            "marker": [mark.marker for mark in shown],
            "colour": [colours[mark.kind] for mark in shown],
            "text": [mark.text for mark in shown],
            "kind": [mark.kind for mark in shown],
            "plain": [mark.plain for mark in shown],
        }
        fill(self.source, columns)
        lined = [mark for mark in shown if mark.kind in LINED]
        fill(self.lines, {"time": [mark.time for mark in lined], "colour": [colours[mark.kind] for mark in lined]})


def title(marks: Sequence[Mark], look: Look, view: tuple[float, float]) -> str:
    """Return the strip's title: how many events are in view, and the kinds, each a switch."""
    inside = [mark for mark in marks if view[0] <= mark.time and mark.start <= view[1]]
    entries = []
    for kind in KINDS:
        count = sum(mark.count for mark in inside if mark.kind == kind.name)
        text = f"{symbol(kind, look)}{escape(kind.label)}{f' {count}' if count else ''}"
        entries.append(legend.switch(layers.of_event(kind.name), text, look))
    return heading("Events", "" if inside else "none in view", entries)


def symbol(kind: EventKind, look: Look) -> str:
    """Return a kind's mark as it is drawn."""
    return (
        f'<svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">'
        f'<path d="{kind.path}" fill="{kind.colour(look.palette.dark)}"/></svg>'
    )


def _hover(renderer: Any) -> HoverTool:
    return HoverTool(
        renderers=[renderer],
        tooltips=f'<div class="tip events"><style>{asset("tooltip.css")}</style>@text{{safe}}</div>',
        point_policy="snap_to_data",
        attachment="vertical",
        show_arrow=False,
    )

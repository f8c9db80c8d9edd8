"""What of one page is drawn beside the bars: it asks for what belongs to the snapshot, and draws it when it comes."""

from typing import Any

from bokeh.models.annotations.geometry import Span
from bokeh.models.ui.ui_element import UIElement
from bokeh.models.widgets.inputs import Select
from psycopg import Connection

from dashboard.live import layers
from dashboard.live.charts import Market
from dashboard.live.drawing import AHEAD
from dashboard.live.look import Look
from dashboard.live.overlays.events import Mark, marks
from dashboard.live.overlays.ghosts import Ghosts
from dashboard.live.overlays.panes import Panes
from dashboard.live.overlays.reader import OverlayKey, Overlays
from dashboard.live.overlays.strip import EventStrip, title
from dashboard.live.series_reader import Snapshot, edges
from dashboard.live.view_state import MOST_PANES
from dashboard.site_page import look as look_of_widgets
from dashboard.wanted_reader import LastRead, WantedReader
from topics.records import HORIZONS
from topics.units import interval_ms

OverlayReader = WantedReader[Connection, OverlayKey, Overlays]


class OverlayPanel:
    """The events, the ghosts and the indicators; without a reader nothing is known of them."""

    def __init__(self, market: Market, cross: Span, reader: OverlayReader | None) -> None:
        self.reader, self.strip, self.ghosts = reader, EventStrip(market, cross), Ghosts(market)
        self.panes = Panes(market, cross)
        self.chooser = Select(name="indicators", title="Indicators", sizing_mode="stretch_width", **look_of_widgets())
        self.chosen: tuple[str, ...] = ()
        self.answer: LastRead[OverlayKey, Overlays] | None = None
        self.marks: list[Mark] = []
        self._drawn: object = None
        self._behind: object = None

    def roots(self) -> tuple[UIElement, ...]:
        """Return the roots of the document."""
        return self.strip.plot, self.panes.column, self.chooser

    def choose(self, indicators: tuple[str, ...]) -> None:
        """Have a pane for each of these indicators, and show them in the chooser."""
        self.chosen = indicators
        self._offer(self.answer.value.names if self.answer else ())
        self.panes.choose(indicators)

    def added(self) -> tuple[str, ...]:
        """Return the indicators with the one that was picked in the chooser, at most as many as have a pane."""
        picked = str(self.chooser.value)
        self.chooser.value = ""
        return (*self.chosen, picked)[:MOST_PANES] if picked and picked not in self.chosen else self.chosen

    def _offer(self, names: tuple[str, ...]) -> None:
        full = len(self.chosen) >= MOST_PANES
        head = f"{MOST_PANES} panes at most" if full else "Add a pane" if names else "none stored"
        options = list[Any]([("", head), *((name, name) for name in sorted(names) if name not in self.chosen)])
        if self.chooser.options != options:
            self.chooser.options = options
        if self.chooser.disabled != (full or not names):
            self.chooser.disabled = full or not names

    def entries(self, look: Look) -> list[str]:
        """Return what belongs into the legend of the prices."""
        return self.ghosts.entries(look)

    def show(self, snapshot: Snapshot, look: Look, view: tuple[float, float]) -> dict[str, str]:
        """Draw what is known beside the snapshot, if it or how it looks has changed; return the titles."""
        key = wanted(snapshot, look, self.chosen)
        if self.reader is not None and key is not None:
            self.answer = self.reader.view(self, key)
        overlays, frame = fitting(self.answer, snapshot), snapshot.key.window.timeframe
        shift = (interval_ms(frame) - interval_ms(snapshot.key.series.interval)) / 2
        events = overlays.events if overlays else ()
        if self._drawn != (events, frame, look):
            self._drawn = events, frame, look
            self.marks = marks(events, interval_ms(frame), shift, look.clock)
            self.strip.draw(self.marks, look)
        if overlays is not None:
            self._offer(overlays.names)
        if self._behind != (overlays, self.chosen, snapshot.serial, view, look):
            self._behind = overlays, self.chosen, snapshot.serial, view, look
            same = overlays is not None and self.answer is not None and self.answer.key.timeframe == frame
            bars = snapshot.bars | {"start": snapshot.bars["time"]}
            self.ghosts.draw(overlays.ghosts if overlays and same else {}, bars, view[1], shift, look)
            found = overlays.indicators if overlays and same else {}
            self.panes.draw(found, snapshot.key.series.symbol, frame, shift, look)
        return {"events_title": title(self.marks, look, view)}


def fitting(answer: LastRead[OverlayKey, Overlays] | None, snapshot: Snapshot) -> Overlays | None:
    """Return what may be drawn beside the snapshot until what belongs to it is read: nothing of another series, and in
    a replay nothing that was known later."""
    if answer is None or answer.key.series != snapshot.key.series:
        return None
    later = snapshot.key.until is not None and answer.key.until > snapshot.key.until
    return None if later else answer.value


def wanted(snapshot: Snapshot, look: Look, indicators: tuple[str, ...]) -> OverlayKey | None:
    """Return what is drawn beside the snapshot: up to the end of its last bar, or what is ahead of the newest one."""
    newest, step = snapshot.newest.bar, interval_ms(snapshot.key.series.interval)
    if newest is None:
        return None
    start, end = (round(time.timestamp() * 1000) for time in edges(snapshot.key, newest))
    ahead = max(HORIZONS) if snapshot.key.window.end is None else 1
    until = end + ahead * step if snapshot.key.until is None else snapshot.key.until
    return OverlayKey(
        series=snapshot.key.series,
        timeframe=snapshot.key.window.timeframe,
        start=start,
        end=end,
        until=until,
        reach=end + AHEAD * step,
        ghosts=tuple(name for name, layer in layers.GHOST_LAYERS.items() if layer not in look.hidden),
        indicators=indicators,
    )

"""What of one page is drawn beside the bars: it asks for what belongs to the snapshot, and draws it when it comes."""

from bokeh.models.annotations.geometry import Span
from bokeh.plotting import figure
from psycopg import Connection

from dashboard.live import layers
from dashboard.live.charts import Market
from dashboard.live.drawing import AHEAD
from dashboard.live.look import Look
from dashboard.live.overlays.events import Mark, marks
from dashboard.live.overlays.ghosts import Ghosts
from dashboard.live.overlays.reader import OverlayKey, Overlays
from dashboard.live.overlays.strip import EventStrip, title
from dashboard.live.series_reader import Snapshot, edges
from dashboard.wanted_reader import Answer, WantedReader
from topics.records import HORIZONS
from topics.units import interval_ms

OverlayReader = WantedReader[Connection, OverlayKey, Overlays]


class OverlayPanel:
    """The events and the ghosts; without a reader nothing is known of them."""

    def __init__(self, market: Market, cross: Span, reader: OverlayReader | None) -> None:
        self.reader, self.strip, self.ghosts = reader, EventStrip(market, cross), Ghosts(market)
        self.answer: Answer[OverlayKey, Overlays] | None = None
        self.marks: list[Mark] = []
        self._drawn: object = None
        self._behind: object = None

    def plots(self) -> tuple[figure, ...]:
        """Return the plots, each a root of the document."""
        return (self.strip.plot,)

    def entries(self, look: Look) -> list[str]:
        """Return what belongs into the legend of the prices."""
        return self.ghosts.entries(look)

    def show(self, snapshot: Snapshot, look: Look, view: tuple[float, float]) -> dict[str, str]:
        """Draw what is known beside the snapshot, if it or how it looks has changed; return the titles."""
        key = wanted(snapshot, look)
        if self.reader is not None and key is not None:
            self.answer = self.reader.view(self, key)
        # What is of another series is not drawn beside this one; of the same one it is until the new is there.
        fits = self.answer is not None and self.answer.key.series == snapshot.key.series
        overlays, frame = (self.answer.value if self.answer and fits else None), snapshot.key.window.timeframe
        shift = (interval_ms(frame) - interval_ms(snapshot.key.series.interval)) / 2
        events = overlays.events if overlays else ()
        if self._drawn != (events, frame, look):
            self._drawn = events, frame, look
            self.marks = marks(events, interval_ms(frame), shift, look.clock)
            self.strip.draw(self.marks, look)
        if self._behind != (overlays, snapshot.serial, view, look):
            self._behind = overlays, snapshot.serial, view, look
            same = overlays is not None and self.answer is not None and self.answer.key.timeframe == frame
            bars = snapshot.bars | {"start": snapshot.bars["time"]}
            self.ghosts.draw(overlays.ghosts if overlays and same else {}, bars, view[1], shift, look)
        return {"events_title": title(self.marks, look, view)}


def wanted(snapshot: Snapshot, look: Look) -> OverlayKey | None:
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
    )

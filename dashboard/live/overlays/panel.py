"""What of one page is drawn beside the bars: it asks for what belongs to the snapshot, and draws it when it comes."""

from bokeh.models.annotations.geometry import Span
from bokeh.plotting import figure
from psycopg import Connection

from dashboard.live.charts import Market
from dashboard.live.look import Look
from dashboard.live.overlays.events import Mark, marks
from dashboard.live.overlays.reader import OverlayKey, Overlays
from dashboard.live.overlays.strip import EventStrip, title
from dashboard.live.series_reader import Snapshot, edges
from dashboard.wanted_reader import Answer, WantedReader
from topics.records import HORIZONS
from topics.units import interval_ms

OverlayReader = WantedReader[Connection, OverlayKey, Overlays]


class OverlayPanel:
    """The events; without a reader nothing is known of them."""

    def __init__(self, market: Market, cross: Span, reader: OverlayReader | None) -> None:
        self.reader, self.strip = reader, EventStrip(market, cross)
        self.answer: Answer[OverlayKey, Overlays] | None = None
        self.marks: list[Mark] = []
        self._drawn: object = None

    def plots(self) -> tuple[figure, ...]:
        """Return the plots, each a root of the document."""
        return (self.strip.plot,)

    def show(self, snapshot: Snapshot, look: Look, view: tuple[float, float]) -> dict[str, str]:
        """Draw what is known beside the snapshot, if it or how it looks has changed; return the titles."""
        key = wanted(snapshot)
        if self.reader is not None and key is not None:
            self.answer = self.reader.view(self, key)
        # What is of another series is not drawn beside this one; of the same one it is until the new is there.
        fits = self.answer is not None and self.answer.key.series == snapshot.key.series
        overlays, frame = (self.answer.value if self.answer and fits else None), snapshot.key.window.timeframe
        if self._drawn != (overlays, frame, look):
            self._drawn = overlays, frame, look
            longer = interval_ms(frame) - interval_ms(snapshot.key.series.interval)
            events = overlays.events if overlays else ()
            self.marks = marks(events, interval_ms(frame), longer / 2, look.clock)
            self.strip.draw(self.marks, look)
        return {"events_title": title(self.marks, look, view)}


def wanted(snapshot: Snapshot) -> OverlayKey | None:
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
    )

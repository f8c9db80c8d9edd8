"""Reads what is drawn beside the bars of one part of a series."""

from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import Connection

from dashboard.live.overlays.events import Event
from dashboard.live.overlays.queries import QUERIES
from dashboard.live.view_state import BarSeries

MOST = 500
"""So many events of each kind are read, the newest."""


@dataclass(frozen=True, kw_only=True)
class OverlayKey:
    """A part of a series: its bars from `start` to `end`, and what happened from `start` until `until` [ms]."""

    series: BarSeries
    timeframe: str
    start: int
    end: int
    until: int


@dataclass(frozen=True, kw_only=True)
class Overlays:
    """What is drawn beside the bars."""

    events: tuple[Event, ...]


def read(connection: Connection, key: OverlayKey) -> Overlays:
    """Read what is drawn beside the bars."""
    parameters = {
        "symbol": key.series.symbol,
        "interval": key.series.interval,
        "start": _time(key.start),
        "until": _time(key.until),
        "most": MOST,
    }
    rows = connection.execute(QUERIES["events"], parameters).fetchall()
    events = tuple(
        Event(kind=kind, variant=variant or "", start=start, time=time, subject=subject, why=why or "", by=by or "")
        for kind, variant, start, time, subject, why, by in rows
    )
    return Overlays(events=events)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)

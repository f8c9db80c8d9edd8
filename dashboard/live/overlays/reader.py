"""Reads what is drawn beside the bars of one part of a series."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

import numpy as np
from psycopg import Connection

from dashboard.live.columns import Columns
from dashboard.live.ghost_kinds import GHOSTS, GhostKind
from dashboard.live.overlays.events import Event
from dashboard.live.overlays.queries import QUERIES
from dashboard.live.view_state import BarSeries
from topics.units import interval_ms

MOST = 500
"""So many events of each kind are read, the newest."""


@dataclass(frozen=True, kw_only=True)
class OverlayKey:
    """A part of a series: its bars from `start` to `end`, and what happened from `start` until `until` [ms].

    `ghosts` are the names of the days before that are drawn, `reach` until when [ms]; `indicators` have a pane each.
    """

    series: BarSeries
    timeframe: str
    start: int
    end: int
    until: int
    reach: int
    ghosts: tuple[str, ...]
    indicators: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Overlays:
    """What is drawn beside the bars; `names` are the indicators that there are, `indicators` the chosen ones."""

    events: tuple[Event, ...]
    ghosts: Mapping[str, Columns]
    names: tuple[str, ...]
    indicators: Mapping[str, Columns]


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
    ghosts = {ghost.name: _closes(connection, key, ghost) for ghost in GHOSTS if ghost.name in key.ghosts}
    named = connection.execute(QUERIES["indicator_names"], parameters).fetchone()
    return Overlays(
        events=events,
        ghosts=ghosts,
        names=tuple(named[0]) if named else (),
        indicators=_indicators(connection, key) if key.indicators else {},
    )


def _indicators(connection: Connection, key: OverlayKey) -> dict[str, Columns]:
    """Return each chosen indicator that is stored: ``time`` [ms] and ``value``, NaN where it is unknown."""
    parameters = {
        "symbol": key.series.symbol,
        "interval": key.series.interval,
        "frame": timedelta(milliseconds=interval_ms(key.timeframe)),
        "names": list(key.indicators),
        "start": _time(key.start),
        "end": _time(key.end),
    }
    rows = connection.execute(QUERIES["indicators"], parameters).fetchall()
    result = {}
    for name, of_name in groupby(rows, key=lambda row: str(row[0])):
        table = np.array([row[1:] for row in of_name], dtype=np.float64)
        result[name] = {"time": table[:, 0].copy(), "value": table[:, 1].copy()}
    return result


def _closes(connection: Connection, key: OverlayKey, ghost: GhostKind) -> Columns:
    """Return the closes of the days before at the times of the present: ``time`` [ms] and ``close``."""
    parameters = {
        "symbol": key.series.symbol,
        "interval": key.series.interval,
        "frame": timedelta(milliseconds=interval_ms(key.timeframe)),
        "start": _time(key.start - ghost.shift),
        "end": _time(min(key.reach - ghost.shift, key.end)),
    }
    rows = connection.execute(QUERIES["closes"], parameters).fetchall()
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 2)
    return {"time": table[:, 0] + ghost.shift, "close": table[:, 1].copy()}


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)

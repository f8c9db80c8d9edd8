"""Events beside the market, and the words for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from math import floor

from dashboard.clock import Clock
from dashboard.live.event_kinds import KINDS, ROLLBACK
from observability.lag import length

SAID = 5
"""So many events are told beside one mark."""
SERVICE = {
    "serve": "put into service",
    "promote": "promoted",
    "rollback": "rolled back",
    "retire": "taken out of service",
}
PLACES = {kind.name: len(KINDS) - place - 0.5 for place, kind in enumerate(KINDS)}
"""The middle of each kind's lane, the first on top."""
MARKERS = {kind.name: kind.marker for kind in KINDS}


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event: `variant` is what of its kind it is, `start` [ms] from when on if it lasted until its `time` [ms]."""

    kind: str
    variant: str
    start: float | None
    time: float
    subject: str
    why: str
    by: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The events of one kind in one candle: where it is drawn [ms, lane], from when on, how, and what is told, as HTML
    and as plain text."""

    kind: str
    time: float
    start: float
    lane: float
    marker: str
    count: int
    text: str
    plain: str = ""


def headline(event: Event) -> str:
    """Return what happened, in a few words."""
    if event.kind == "promotion":
        return f"{event.subject} {SERVICE.get(event.variant, event.variant)}"
    if event.kind == "retrain":
        return f"retraining {event.subject}, {event.variant}"
    if event.kind == "drift":
        return f"drift of {event.variant}, {event.subject}"
    if event.kind == "gap":
        missing = f"{event.variant} trades" if event.variant else "trades"
        return f"{missing} missing, {event.subject}"
    return f"{event.variant} alert, {event.subject}"


def told(event: Event, clock: Clock) -> str:
    """Return an event as the part of a tooltip: what, when, why."""
    when = clock.moment(event.time)
    if event.start is not None and event.start < event.time:
        lasted = length((event.time - event.start) / 1000)
        when = f"since {clock.moment(event.start)}, found {when}" if event.kind == "drift" else f"{lasted} up to {when}"
    by = f" ({event.by})" if event.by else ""
    why = f"<p>{escape(event.why + by)}</p>" if event.why or by else ""
    return f"<b>{escape(headline(event))}</b><small>{escape(when)}</small>{why}"


def marks(events: Sequence[Event], frame: int, shift: float, clock: Clock) -> list[Mark]:
    """Return a mark for the events of each kind in each candle of `frame` ms, drawn `shift` ms after its beginning.

    >>> event = Event(kind="alert", variant="info", start=None, time=90_000, subject="r", why="", by="")
    >>> [(mark.time, mark.count) for mark in marks([event], 60_000, 0, Clock())]
    [(60000.0, 1)]
    """

    def place(event: Event) -> tuple[str, str, int]:
        marker = ROLLBACK if event.variant == "rollback" else MARKERS[event.kind]
        return event.kind, marker, floor(event.time / frame)

    result = []
    for (kind, marker, candle), group in groupby(sorted(events, key=place), key=place):
        found = sorted(group, key=lambda one: -one.time)
        more = f"<small>and {len(found) - SAID} more</small>" if len(found) > SAID else ""
        time = float(candle * frame + shift)
        starts = [one.start for one in found if kind == "gap" and one.start is not None]
        mark = Mark(
            kind=kind,
            time=time,
            start=min([time, *starts]),
            lane=PLACES[kind],
            marker=marker,
            count=len(found),
            text="".join(told(one, clock) for one in found[:SAID]) + more,
            plain="; ".join(f"{headline(one)} ({one.why})" if one.why else headline(one) for one in found),
        )
        result.append(mark)
    return result

"""Decides whether the page's data are current."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dashboard.clock import Clock
from observability.lag import length
from settings.places import typed
from stack.conditions import ComponentSummary
from topics.units import interval_ms

Kind = Literal["connecting", "unreachable", "empty", "stale", "waiting", "replay", "live"]

ON_THE_WAY = ("kafka", "postgres", "worker", "persist")
"""The components that a forecast passes on its way to the page."""
TO_FILL = typed("Start the pipeline with ./foretick up, or replay a file with ./foretick replay FILE.")
TO_MEND = typed("Either the replay has ended, or something has stopped: see ./foretick status.")
TO_LOOK = typed("./foretick doctor shows what to do.")
STALE_INTERVALS = 1.5
SHORTEST_STALE_S = 30.0
SILENT_S = 8.0
"""After so long without an answer the database is not read any more, whatever was known."""
LATE_BARS = 2
"""A forecast that is more bars behind the newest bar is late."""
LATE_S = 10.0
"""And is missing, not on its way, if none has come for so long."""
DAY_S = 86_400.0


@dataclass(frozen=True)
class PageHealth:
    """The state of the page: a word for the badge, and a sentence about its meaning or what to do."""

    kind: Kind
    label: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of the data.

    `error` is why the database cannot be read, `failure` why what it answered was not understood, `read` whether it
    ever was read, `answer_age_s` the seconds since it last answered. `age_s` are the seconds since a row of the series
    was seen to arrive (None: none since the page began to watch, `watched_s` ago), `forecast_age_s` the same of its
    forecasts, `limit_s` when that is stale. `bar` is the time of the newest bar [epoch ms], which ended `bar_age_s` ago
    by the clock; the newest forecast is `behind` bars before it. None is not known.
    """

    limit_s: float
    error: str | None = None
    failure: str | None = None
    read: bool = True
    answer_age_s: float = 0.0
    has_series: bool = True
    age_s: float | None = None
    forecast_age_s: float | None = None
    watched_s: float = 0.0
    bar: float | None = None
    bar_age_s: float | None = None
    behind: int | None = None
    components: Sequence[ComponentSummary] = ()


def stale_after(interval: str) -> float:
    """Return after how many seconds without a new row a series is stale: a live one has a bar every interval."""
    return max(SHORTEST_STALE_S, STALE_INTERVALS * interval_ms(interval) / 1000)


def late(behind: int | None) -> bool:
    """Return whether a forecast so many bars behind the newest bar is not about what comes next any more."""
    return behind is not None and behind > LATE_BARS


def decide(known: Evidence, clock: Clock) -> PageHealth:
    """Return the page's state.

    Live is only what is of now by its own time, and whose forecasts come: bars over a forecaster that has stopped are
    not, nor is what comes while a component on its way says that it does not do its work, nor a replay of the past.
    """
    unread = _unread(known)
    if unread is not None:
        return unread
    bad = next((one for one in known.components if one.name in ON_THE_WAY and not one.good), None)
    text = f" {bad.name} is {bad.word}{f': {bad.why}' if bad.why else ''}." if bad else ""
    still = _stale(known, text)
    if still is not None:
        return still
    if bad is not None:
        return PageHealth("stale", f"{bad.name} {bad.word}", f"{text.strip()} {TO_LOOK}")
    return _coming(known, clock)


def in_replay(known: Evidence, health: PageHealth) -> PageHealth:
    """Return the state of a page that shows a replay: whatever comes meanwhile does not matter."""
    return _unread(known) or health


def _unread(known: Evidence) -> PageHealth | None:
    """Return the state if the database does not answer, or has nothing; else None."""
    if known.error is not None:
        return PageHealth("unreachable", "database unreachable", f"{known.error} Trying again every few seconds.")
    if known.failure is not None:
        return PageHealth("unreachable", "not understood", f"{known.failure} Trying again every few seconds.")
    if not known.read:
        return PageHealth("connecting", "connecting", "Reading the database.")
    if known.answer_age_s > SILENT_S:
        detail = f"The database has not answered for {length(known.answer_age_s)}: this is what it said before."
        return PageHealth("unreachable", "database silent", detail)
    if not known.has_series:
        return PageHealth("empty", "no data", f"The database has no bars yet. {TO_FILL}")
    return None


def _stale(known: Evidence, text: str) -> PageHealth | None:
    """Return the state if rows, or forecasts for rows, have been missing for too long; else None."""
    silence = known.watched_s if known.age_s is None else known.age_s
    if silence > known.limit_s:
        ago = f"No new row for {'at least ' if known.age_s is None else ''}{length(silence)}"
        return PageHealth("stale", "stale", f"{ago}: these are the last known data.{text} {TO_MEND}")
    unheard = known.watched_s if known.forecast_age_s is None else known.forecast_age_s
    least = "at least " if known.forecast_age_s is None else ""
    if late(known.behind) and unheard > LATE_S:
        detail = f"The newest forecast is {known.behind} bars behind the newest bar, and none has come for "
        return PageHealth("stale", "forecasts late", f"{detail}{least}{length(unheard)}.{text} {TO_MEND}")
    if unheard > known.limit_s:
        detail = f"New bars arrive, but no new forecast for {least}{length(unheard)}.{text} {TO_MEND}"
        return PageHealth("stale", "no forecasts", detail)
    return None


def _coming(known: Evidence, clock: Clock) -> PageHealth:
    """Return the state of data that come, by how old they are themselves."""
    seen = f"last row {length(known.age_s)} ago" if known.age_s is not None else ""
    if known.bar is None or known.bar_age_s is None or known.bar_age_s <= known.limit_s:
        if seen or known.bar is not None:
            return PageHealth("live", "live", seen or f"last bar {clock.moment(known.bar)}")
        return PageHealth("waiting", "waiting", f"no new row for {length(known.watched_s)} yet")
    if not seen:
        detail = f"last bar {clock.moment(known.bar)}, no new row for {length(known.watched_s)} yet"
        return PageHealth("waiting", "waiting", detail)
    if late(known.behind):
        seen += f", forecasts {known.behind} bars behind"
    if known.bar_age_s < DAY_S:
        return PageHealth("replay", "catching up", f"{length(known.bar_age_s)} behind the clock, {seen}")
    return PageHealth("replay", f"replay of {clock.day(known.bar)}", seen)

"""One thread that reads the database for all viewers, so that no page ever waits for a query."""

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Protocol
from weakref import WeakSet

import psycopg
from psycopg import Connection

from dashboard.database import connected, no_answer
from dashboard.failures import Failed
from dashboard.live.rate_meter import RateMeter, Rates
from dashboard.live.score_feed import ScoreFeed
from dashboard.live.series_reader import (
    Key,
    Newest,
    Snapshot,
    edges,
    read_inserted,
    read_newest,
    read_series,
    read_snapshot,
)
from dashboard.live.view_state import BarSeries
from dashboard.reader_thread import RETRY_S, ReaderThread, leased
from storage.errors import place

PERIOD_S = 0.1
"""The least pause between two looks for what is new; it is as long as the look took where that is longer."""
BUSY = 0.5
"""The part of the time in which the feed may read what pages show; all keys together, each an equal part of it."""
LONGEST_S = 10.0
"""The longest that the data of a key wait for that."""
PAST_S = 5.0
"""The past changes only where something is stored late: it is read again after so long at the earliest. So are data of
which nothing newer has come, whatever else was stored."""


class Viewer(Protocol):
    """Who looks at a key."""

    def wake(self) -> None:
        """Look again soon; called by the reader's thread."""
        ...


@dataclass(kw_only=True)
class Arrivals:
    """When a row of a series was seen to arrive (`changed`), and when a `forecast` was, by the monotonic clock."""

    since: float
    changed: float | None = None
    forecast: float | None = None
    newest: Newest | None = None


@dataclass(kw_only=True)
class Watched:
    """A key that some page looks at; `due` is when it may be read again, `late_due` when for what may have come late,
    and `read_to` what it was read up to; `pause` is what the last read asked for.

    `stored` is that something has been stored since, `failure` why it could not be read. A viewer that is gone is none:
    the set is weak.
    """

    asked: float
    due: float = 0.0
    late_due: float = 0.0
    pause: float = 0.0
    stored: bool = False
    read_to: Newest | None = None
    snapshot: Snapshot | None = None
    failure: str | None = None
    viewers: WeakSet[Viewer] = field(default_factory=WeakSet)


@dataclass(frozen=True, kw_only=True)
class View:
    """The present data of one key. `error` is why the database cannot be read; it last answered `answer_age_s` ago.

    `failure` is why what it answered was not understood.
    """

    error: str | None
    failure: str | None = None
    read: bool
    answer_age_s: float
    series: tuple[BarSeries, ...]
    rates: Rates
    snapshot: Snapshot | None
    newest: Newest | None
    age_s: float | None
    forecast_age_s: float | None
    watched_s: float


class Feed(ReaderThread[Connection]):
    """Reads the requested keys, ten times a second, and wakes who looks at them; `view` never blocks."""

    def __init__(self, url: str, scores: ScoreFeed | None = None) -> None:
        super().__init__("feed", (psycopg.Error,))
        self._scores = scores or ScoreFeed(url)
        self._url, self._where = url, place(url)
        self._watched: dict[Key, Watched] = {}
        self._arrivals: dict[BarSeries, Arrivals] = {}
        self._rate_meter = RateMeter()
        self._inserted: tuple[int | None, int | None] = (None, None)
        self._serials = count(1)
        self._error: str | None = None
        self._failure: str | None = None
        self._read = False
        self._answered = time.monotonic()
        self._series: tuple[BarSeries, ...] = ()
        self._rates = Rates()

    def start(self) -> None:
        """Begin to read."""
        super().start()
        self._scores.start()

    def stop(self) -> None:
        """End the threads; reads in progress are waited for."""
        self._scores.stop()
        super().stop()

    @property
    def alive(self) -> bool:
        """Return whether the threads still read."""
        return super().alive and self._scores.alive

    @property
    def failing(self) -> str | None:
        """Return the error by which something was not read lately, None if all was."""
        return super().failing or self._scores.failing

    def _open(self) -> AbstractContextManager[Connection]:
        return connected(self._url)

    def _silent(self, error: Exception) -> None:
        self._error = no_answer(self._where, error)
        self._rate_meter = RateMeter()
        self._rates = Rates()

    def _broken(self, reason: str) -> None:
        self._failure = reason

    @property
    def read(self) -> bool:
        """Return whether the database was ever read."""
        return self._read

    @property
    def error(self) -> str | None:
        """Return why the database cannot be read, or None."""
        return self._error

    def view(self, key: Key | None, viewer: Viewer | None = None) -> View:
        """Return the data of that key, and keep reading it; a new key is read at once. The viewer is woken when there
        are others.
        """
        now = time.monotonic()
        with self._lock:
            arrivals, snapshot, failure = Arrivals(since=now), None, None
            if key is not None:
                if key not in self._watched:
                    self._watched[key] = Watched(asked=now)
                    self._wake.set()
                self._watched[key].asked = now
                if viewer is not None:
                    self._watched[key].viewers.add(viewer)
                snapshot, failure = self._watched[key].snapshot, self._watched[key].failure
                arrivals = self._arrivals.setdefault(key.series, arrivals)
            age, forecast_age = (None if at is None else now - at for at in (arrivals.changed, arrivals.forecast))
            return View(
                error=self._error,
                failure=self._failure or failure,
                read=self._read,
                answer_age_s=now - self._answered,
                series=self._series,
                rates=self._rates,
                snapshot=snapshot,
                newest=arrivals.newest,
                age_s=age,
                forecast_age_s=forecast_age,
                watched_s=now - arrivals.since,
            )

    def _follow(self, connection: Connection) -> None:
        while not self._stopping:
            self._wake.clear()
            began = time.monotonic()
            try:
                self._read_once(connection)
            except psycopg.errors.UndefinedTable:
                self._series = ()  # a database that was not set up yet is an empty one
            self._read, self._error, self._failure, self._answered = True, None, None, time.monotonic()
            self._wake.wait(max(PERIOD_S, self._answered - began))

    def _read_once(self, connection: Connection) -> None:
        now = time.monotonic()
        inserted = read_inserted(connection)
        stored, self._inserted = inserted != self._inserted, inserted
        self._rates = self._rate_meter.add(now, *inserted)
        if stored or not self._series:
            self._series = read_series(connection)
        with self._lock:
            self._watched = leased(self._watched, now)
            watched = dict(self._watched)
            kept = {key.series for key in watched}
            self._arrivals = {series: one for series, one in self._arrivals.items() if series in kept}
            arrivals = dict(self._arrivals)
        for series, one in arrivals.items():
            self._arrived(read_newest(connection, series), one)
        for key, looked_at in watched.items():
            newest = arrivals[key.series].newest
            if newest is not None:
                self._look(connection, key, looked_at, newest, stored)
            self._answered = time.monotonic()

    def _arrived(self, newest: Newest, one: Arrivals) -> None:
        """Note what has come since the last look; what is found at the first was not seen to arrive."""
        with self._lock:
            if one.newest is not None and newest != one.newest:
                one.changed = time.monotonic()
                if newest.prediction != one.newest.prediction:
                    one.forecast = one.changed
            one.newest = newest

    def _look(self, connection: Connection, key: Key, one: Watched, newest: Newest, stored: bool) -> None:
        """Refresh the key; one that cannot be read is tried again, and the others go on."""
        done = self._noted.attempt(lambda: self._refresh(connection, key, one, newest, stored), (psycopg.Error,))
        if isinstance(done, Failed):
            one.failure, one.stored, one.due = done.why, True, time.monotonic() + RETRY_S

    def _refresh(self, connection: Connection, key: Key, one: Watched, newest: Newest, stored: bool) -> None:
        """Read the key again where something is new and it is due; new scores are set beside what was read."""
        now, scores = time.monotonic(), self._scores.view(key, newest)
        one.stored |= stored
        if now >= one.due and (newest != one.read_to or (one.stored and now >= one.late_due)):
            one.stored = False
            self._know(one, read_snapshot(connection, key, newest, scores, next(self._serials)))
            pause, before = min(LONGEST_S, (time.monotonic() - now) * len(self._watched) / BUSY), one.pause
            # One read that found the processors busy is not held against the key.
            one.read_to, one.due, one.pause, one.late_due = newest, now + min(pause, before), pause, now + PAST_S
            if newest.bar is not None and edges(key, newest.bar)[1] < newest.bar:
                one.due = max(one.due, now + PAST_S)
        elif one.snapshot is not None and scores is not one.snapshot.scores:
            self._know(one, replace(one.snapshot, scores=scores, serial=next(self._serials)))

    def _know(self, one: Watched, snapshot: Snapshot | None) -> None:
        """Keep what was read, and wake who looks at it."""
        with self._lock:
            one.snapshot, one.failure = snapshot, None
            viewers = list(one.viewers)
        for viewer in viewers:
            viewer.wake()

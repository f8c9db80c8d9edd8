"""A thread that reads the scores of what pages show: they take longer to read than a bar may wait."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg import Connection

from dashboard.database import connected
from dashboard.failures import Failed
from dashboard.live.columns import Columns
from dashboard.live.series_reader import Key, Newest, read_scores
from dashboard.live.view_state import BarSeries
from dashboard.reader_thread import LEASE_S, RETRY_S, ReaderThread, leased

EVERY_S = 5.0
BUSY = 0.2
"""The part of the time in which scores may be read; all of them together, each an equal part of it."""


class ScoredSeries(NamedTuple):
    """What has scores of its own: all models of a series at one horizon."""

    series: BarSeries
    horizon: int


@dataclass(kw_only=True)
class _Watched:
    """`key` and `newest` are as they were `asked` for last; `read_to` is the newest outcome in `scores`."""

    key: Key
    newest: Newest
    asked: float
    due: float = 0.0
    read_to: datetime | None = None
    scores: dict[str, Columns] | None = None

    def behind(self, now: float) -> bool:
        """Return whether there is something new that may be read."""
        return (self.scores is None or self.newest.outcome != self.read_to) and now >= self.due


class ScoreFeed(ReaderThread[Connection]):
    """Reads the scores that were asked for, again when outcomes have come; `view` never blocks."""

    def __init__(self, url: str, read: Callable[[Connection, Key, Newest], dict[str, Columns]] = read_scores) -> None:
        super().__init__("scores", (psycopg.Error,))
        self._url, self._read = url, read
        self._watched: dict[ScoredSeries, _Watched] = {}

    def _open(self) -> AbstractContextManager[Connection]:
        return connected(self._url)

    def view(self, key: Key, newest: Newest) -> dict[str, Columns] | None:
        """Return the scores of the key that were read last, the same object until others are; None before the first."""
        now, name = time.monotonic(), ScoredSeries(key.series, key.horizon)
        with self._lock:
            one = self._watched.setdefault(name, _Watched(key=key, newest=newest, asked=now))
            one.key, one.newest, one.asked = key, newest, now
            if one.behind(now):
                self._wake.set()
            return one.scores

    def _follow(self, connection: Connection) -> None:
        while not self._stopping:
            self._wake.clear()
            now = time.monotonic()
            with self._lock:
                self._watched = leased(self._watched, now)
                behind = [(one, one.key, one.newest) for one in self._watched.values() if one.behind(now)]
                watched = len(self._watched)
            for one, key, newest in behind:
                self._read_for(one, connection, key, newest, watched)
            self._wake.wait(LEASE_S)

    def _read_for(self, one: _Watched, connection: Connection, key: Key, newest: Newest, watched: int) -> None:
        began = time.monotonic()
        scores = self._noted.attempt(lambda: self._read(connection, key, newest), (psycopg.Error,))
        ended = time.monotonic()
        with self._lock:
            if isinstance(scores, Failed):
                one.due = ended + RETRY_S
                return
            one.scores, one.read_to = scores, newest.outcome
            one.due = ended + max(EVERY_S, (ended - began) * watched / BUSY)

"""The page's readers: one connection for each, what was computed is kept until there is something new."""

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import psycopg
from psycopg import Connection

from dashboard.database import PLANNED_EACH_TIME, connected, no_answer
from dashboard.polled_reader import PolledReader
from learning.deployment.ledger import LedgerError
from storage.errors import StorageError, place

K = TypeVar("K", bound=Hashable)
S = TypeVar("S")
V = TypeVar("V")

STATEMENT_S = 60
FAILURES = (psycopg.Error, StorageError, LedgerError)
MOST_KEPT = 32
REST = 5.0
"""What took long to read is read again after so many times as long: the stream needs the database too."""


def described(url: str) -> Callable[[Exception], str]:
    """Return what says in a sentence why the database cannot be read."""
    where = place(url)

    def describe(error: Exception) -> str:
        if isinstance(error, psycopg.errors.QueryCanceled):
            return f"{where} did not answer within a minute."
        return no_answer(where, error)

    return describe


class Kept(Generic[K, V]):
    """Values by key, each made anew when its stamp has changed and it is older than `period_s`."""

    def __init__(self, period_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._period_s, self._clock = period_s, clock
        self._values: dict[K, tuple[object, float, V]] = {}

    def get(self, key: K, stamp: object, make: Callable[[], V]) -> V:
        """Return the key's value; the one that was not asked for the longest is forgotten where there are many."""
        known = self._values.pop(key, None)
        if known is None or (known[0] != stamp and self._clock() - known[1] >= self._period_s):
            known = stamp, self._clock(), make()
        self._values[key] = known
        if len(self._values) > MOST_KEPT:
            del self._values[next(iter(self._values))]
        return known[2]


def reader(
    url: str, source: Callable[[Connection], S], read: Callable[[S, K], V], period_s: float
) -> PolledReader[S, K, V]:
    """Return a thread that reads keys from what `source` makes of a connection."""

    @contextmanager
    def opened() -> Iterator[S]:
        with connected(url, STATEMENT_S, more=PLANNED_EACH_TIME) as connection:
            yield source(connection)

    return PolledReader(opened, read, period_s=period_s, failures=FAILURES, describe=described(url), rest=REST)

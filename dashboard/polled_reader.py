"""One thread that reads a source for all viewers of a page, so that no page ever waits for it."""

import operator
import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from dashboard.failures import Failed
from dashboard.reader_thread import ReaderThread, leased

C = TypeVar("C")
K = TypeVar("K", bound=Hashable)
S = TypeVar("S")

LONGEST_REST_S = 5.0


@dataclass(frozen=True)
class Reading(Generic[S]):
    """What is known of a key. `value` is the last that was read, None if none was; it was read `age_s` ago.

    One that is unchanged is the object of before: what is drawn of it need not be drawn again.

    `error` is why it cannot be read now: `value` is then as old as it says.
    """

    value: S | None
    age_s: float | None
    error: str | None


@dataclass(kw_only=True)
class _Watched(Generic[S]):
    asked: float
    value: S | None = None
    read_at: float | None = None
    error: str | None = None
    waiting: set[Callable[[], None]] = field(default_factory=set)


class PolledReader(ReaderThread[C], Generic[C, K, S]):
    """Reads the requested keys every `period_s`, or where that takes long after `rest` times as long; `view` never
    blocks.

    `connect` opens the source, `read` reads a key from it; `failures` are the errors of a source that does not answer,
    which `describe` puts into a sentence. By any other error a key is not read, but the rest is. `unchanged` tells
    whether what was read is what was read before: the same object, or where it has no arrays to compare, an equal one.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[C]],
        read: Callable[[C, K], S],
        *,
        period_s: float,
        failures: tuple[type[Exception], ...],
        describe: Callable[[Exception], str],
        rest: float = 0.0,
        unchanged: Callable[[object, object], bool] = operator.is_,
    ) -> None:
        super().__init__("polled-reader", failures)
        self._connect, self._read, self._period_s, self._rest = connect, read, period_s, rest
        self._describe, self._unchanged = describe, unchanged
        self._watched: dict[K, _Watched[S]] = {}
        self._error: str | None = None

    def _open(self) -> AbstractContextManager[C]:
        return self._connect()

    def _silent(self, error: Exception) -> None:
        self._error = self._describe(error)

    def _broken(self, reason: str) -> None:
        self._error = reason

    def view(self, key: K, wake: Callable[[], None] | None = None) -> Reading[S]:
        """Return what is known of that key, and keep reading it; a new key is read at once.

        `wake` is called once, by the reader's thread, when there is a newer value: a page need not look for it.
        """
        now = time.monotonic()
        with self._lock:
            watched = self._watched.get(key)
            if watched is None:
                watched = self._watched[key] = _Watched(asked=now)
                self._wake.set()
            watched.asked = now
            if wake is not None:
                watched.waiting.add(wake)
            age = None if watched.read_at is None else now - watched.read_at
            return Reading(watched.value, age, self._error or watched.error)

    def _follow(self, source: C) -> None:
        while not self._stopping:
            self._wake.clear()
            now = time.monotonic()
            with self._lock:
                self._watched = leased(self._watched, now)
                keys = list(self._watched)
            read = [self._reads_key(source, key) for key in keys]
            self._error = None
            took = time.monotonic() - now
            if not all(read):
                return  # to open the source anew: it may keep a part of what it read
            self._wake.wait(max(self._period_s, min(LONGEST_REST_S, self._rest * took)))

    def _reads_key(self, source: C, key: K) -> bool:
        value = self._noted.attempt(lambda: self._read(source, key), self._failures)
        with self._lock:
            watched = self._watched[key]
            if isinstance(value, Failed):
                watched.error = value.why
                return False
            woken: set[Callable[[], None]] = set()
            if not self._unchanged(value, watched.value):
                watched.value = value
                woken, watched.waiting = watched.waiting, woken
            watched.read_at, watched.error = time.monotonic(), None
        for wake in woken:
            wake()
        return True

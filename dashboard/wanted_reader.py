"""One thread that reads for each viewer what he wants to see now: what he wanted before is not read any more."""

import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

from dashboard.failures import Failed
from dashboard.reader_thread import LEASE_S, ReaderThread, leased

C = TypeVar("C")
K = TypeVar("K", bound=Hashable)
S = TypeVar("S")

COSTS = 10.0
"""What took long to read is read again after so many times that long at the earliest."""


@dataclass(frozen=True)
class LastRead(Generic[K, S]):
    """What was read last for a viewer, and of which key: not always the one that he wants now."""

    key: K
    value: S


@dataclass(kw_only=True)
class _Viewer(Generic[K, S]):
    key: K
    asked: float
    due: float = 0.0
    answer: LastRead[K, S] | None = None
    failure: str | None = None


class WantedReader(ReaderThread[C], Generic[C, K, S]):
    """Reads for each viewer the key that he asked for last, at once and then every `period_s`; `view` never blocks.

    `connect` opens the source, `read` reads a key from it. `failures` are the errors of a source that does not answer:
    it is tried again. None as the period: what was read once stays as it is.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[C]],
        read: Callable[[C, K], S],
        *,
        name: str,
        failures: tuple[type[Exception], ...],
        period_s: float | None = None,
    ) -> None:
        super().__init__(name, failures)
        self._connect, self._read, self._period_s = connect, read, period_s
        self._viewers: dict[object, _Viewer[K, S]] = {}

    def _open(self) -> AbstractContextManager[C]:
        return self._connect()

    def view(self, viewer: object, key: K) -> LastRead[K, S] | None:
        """Return what was read last for the viewer, and read that key from now on."""
        now = time.monotonic()
        with self._lock:
            one = self._viewers.get(viewer)
            if one is None:
                one = self._viewers[viewer] = _Viewer(key=key, asked=now)
                self._wake.set()
            if one.key != key:
                one.key, one.due, one.failure = key, 0.0, None
                self._wake.set()
            one.asked = now
            return one.answer

    def failure(self, viewer: object) -> str | None:
        """Return why what the viewer wants was not understood, None if it was, or is not read yet."""
        with self._lock:
            one = self._viewers.get(viewer)
            return None if one is None else one.failure

    def _follow(self, source: C) -> None:
        while not self._stopping:
            self._wake.clear()
            now = time.monotonic()
            with self._lock:
                self._viewers = leased(self._viewers, now)
                wanted = {name: (one, one.key) for name, one in self._viewers.items() if one.due <= now}
            read = [self._reads_for(one, source, key) for one, key in wanted.values()]
            if not all(read):
                return  # to open the source anew: it may keep a part of what it read
            self._wake.wait(min(LEASE_S, self._period_s or LEASE_S))  # viewers are forgotten even where nothing is due

    def _reads_for(self, viewer: _Viewer[K, S], source: C, key: K) -> bool:
        began = time.monotonic()
        value = self._noted.attempt(lambda: self._read(source, key), self._failures)
        ended = time.monotonic()
        with self._lock:
            if isinstance(value, Failed):
                if viewer.key == key:
                    viewer.failure = value.why
                return False
            viewer.answer = LastRead(key, value)
            if viewer.key == key:
                viewer.failure = None
                wait = float("inf") if self._period_s is None else self._period_s
                viewer.due = ended + max(wait, COSTS * (ended - began))
        return True

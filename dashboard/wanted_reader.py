"""One thread that reads for each viewer what he wants to see now: what he wanted before is not read any more."""

import threading
import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

C = TypeVar("C")
K = TypeVar("K", bound=Hashable)
S = TypeVar("S")

RETRY_S = 3.0
LEASE_S = 10.0
"""A viewer who has not asked for this long is forgotten."""
COSTS = 10.0
"""What took long to read is read again after so many times that long at the earliest."""


@dataclass(frozen=True)
class Answer(Generic[K, S]):
    """What was read last for a viewer, and of which key: not always the one that he wants now."""

    key: K
    value: S


@dataclass(kw_only=True)
class _Viewer(Generic[K, S]):
    key: K
    asked: float
    due: float = 0.0
    answer: Answer[K, S] | None = None


class WantedReader(Generic[C, K, S]):
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
        self._connect, self._read, self._failures, self._period_s = connect, read, failures, period_s
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._viewers: dict[object, _Viewer[K, S]] = {}
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a read in progress is waited for."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Return whether the thread still reads."""
        return self._thread.is_alive()

    def view(self, viewer: object, key: K) -> Answer[K, S] | None:
        """Return what was read last for the viewer, and read that key from now on."""
        now = time.monotonic()
        with self._lock:
            one = self._viewers.get(viewer)
            if one is None:
                one = self._viewers[viewer] = _Viewer(key=key, asked=now)
                self._wake.set()
            if one.key != key:
                one.key, one.due = key, 0.0
                self._wake.set()
            one.asked = now
            return one.answer

    def _run(self) -> None:
        while not self._stopping:
            try:
                with self._connect() as source:
                    self._follow(source)
            except self._failures:
                self._wake.wait(RETRY_S)
                self._wake.clear()

    def _follow(self, source: C) -> None:
        while not self._stopping:
            self._wake.clear()
            now = time.monotonic()
            with self._lock:
                self._viewers = {name: one for name, one in self._viewers.items() if now - one.asked < LEASE_S}
                wanted = {name: (one, one.key) for name, one in self._viewers.items() if one.due <= now}
            for one, key in wanted.values():
                began = time.monotonic()
                value = self._read(source, key)
                ended = time.monotonic()
                with self._lock:
                    one.answer = Answer(key, value)
                    if one.key == key:
                        wait = float("inf") if self._period_s is None else self._period_s
                        one.due = ended + max(wait, COSTS * (ended - began))
            self._wake.wait(min(LEASE_S, self._period_s or LEASE_S))  # viewers are forgotten even where nothing is due

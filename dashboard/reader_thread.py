"""A thread that reads a source for the viewers of a page, and tries again while it cannot."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Generic, Protocol, TypeVar

from dashboard.failures import Failures

C = TypeVar("C")

RETRY_S = 3.0
LEASE_S = 10.0
"""What nobody has asked for this long is no longer read."""


class Leased(Protocol):
    """What is read while somebody asks; `asked` is when that was last, by the monotonic clock."""

    asked: float


K = TypeVar("K")
L = TypeVar("L", bound=Leased)


def leased(watched: Mapping[K, L], now: float) -> dict[K, L]:
    """Return those that were asked for lately."""
    return {key: one for key, one in watched.items() if now - one.asked < LEASE_S}


class ReaderThread(ABC, Generic[C]):
    """The life of the thread; `failures` are the errors of a source that does not answer.

    Any other error is one of ours, or of a row that nobody expected: it is noted, and tried again as well.
    """

    def __init__(self, name: str, failures: tuple[type[Exception], ...]) -> None:
        self._failures, self._noted = failures, Failures(name)
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def _open(self) -> AbstractContextManager[C]:
        """Open the source."""

    @abstractmethod
    def _follow(self, source: C) -> None:
        """Read the source until `_stopping`, or until it is to be opened anew."""

    def _silent(self, error: Exception) -> None:
        """Note that the source does not answer; what was read is kept."""

    def _broken(self, reason: str) -> None:
        """Note that what the source gave could not be read, and why, in a sentence; what was read is kept."""

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

    @property
    def failing(self) -> str | None:
        """Return the error by which something that the source gave was not read lately, None if all was."""
        return self._noted.lately

    def _run(self) -> None:
        while not self._stopping:
            try:
                with self._open() as source:
                    self._follow(source)
            except self._failures as error:
                self._silent(error)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is noted, and the page says it
                self._broken(self._noted.note(error))
            if not self._stopping:
                self._wake.wait(RETRY_S)
                self._wake.clear()

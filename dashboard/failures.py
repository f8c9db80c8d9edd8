"""The errors of a page's thread that nobody expected: noted, logged, and said, while the thread goes on."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

V = TypeVar("V")

log = logging.getLogger(__name__)

LASTS_S = 15.0
"""For so long after an error a thread is said to fail: it is tried again sooner."""
LOGGED_S = 60.0
"""How often an error that goes on is logged."""


@dataclass(frozen=True)
class Failed:
    """Why something could not be read, in a sentence."""

    why: str


class Failures:
    """The last failure of the thread of that name. One page without figures is no reason to take the others away."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._clock = name, clock
        self._last: tuple[float, str] | None = None
        self._logged: float | None = None

    def note(self, error: Exception) -> str:
        """Note an error; return it in a sentence for the page."""
        now, what = self._clock(), f"{type(error).__name__}: {error}"
        self._last = now, what
        if self._logged is None or now - self._logged > LOGGED_S:
            self._logged = now
            log.error("the thread %s fails, and tries again", self._name, exc_info=error)
        return f"What is stored could not be read ({what}); the log of the dashboard has more."

    def attempt(self, read: Callable[[], V], silent: tuple[type[Exception], ...] = ()) -> V | Failed:
        """Return what `read` returns, or why it failed. Raises the errors of a source that is `silent`."""
        try:
            return read()
        except silent:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is noted, and the page says it
            return Failed(self.note(error))

    @property
    def lately(self) -> str | None:
        """Return the last error, None if there was none lately."""
        last = self._last
        return last[1] if last is not None and self._clock() - last[0] < LASTS_S else None

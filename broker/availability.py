"""Reports within seconds that Kafka does not answer, and ends a command that has waited too long.

aiokafka waits for a broker silently, and an idempotent producer for ever.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from broker.errors import KafkaAwayError

T = TypeVar("T")

LOOK_S = 0.5
QUIET_S = 3.0
"""An answer that takes longer is reported."""
LEAVE_S = 5.0
"""How long cancelled tasks may take to end."""


class KafkaWatchdog:
    """Tracks since when an answer of Kafka is pending. `say` is called when it is overdue, and when Kafka answers
    again."""

    def __init__(self, where: str, timeout_s: float, say: Callable[[str], None]) -> None:
        self._where, self._timeout_s, self._say = where, timeout_s, say
        self._owed = 0
        self._since: float | None = None

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Hold this while an answer is waited for. One that failed is not given yet."""
        self._owed += 1
        if self._since is None:
            self._since = time.monotonic()
        try:
            yield
        except BaseException:
            self._owed -= 1
            raise
        self._owed -= 1
        self.answered()

    def answered(self) -> None:
        """Record an answer from Kafka."""
        self._since = time.monotonic() if self._owed else None

    def quiet_s(self) -> float:
        """Return for how long an answer has been owed, in seconds."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    async def watch(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work. Raises KafkaAwayError if Kafka owes an answer for longer than the patience."""
        task = asyncio.create_task(work)
        reported = False
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_S))[0]:
                quiet = self.quiet_s()
                if quiet > self._timeout_s:
                    raise KafkaAwayError(f"Kafka at {self._where} has not answered for {self._timeout_s:g} s")
                if (quiet > QUIET_S) != reported:
                    reported = not reported
                    waits = f"does not answer: waiting, for {self._timeout_s:g} s at most"
                    self._say(f"Kafka at {self._where} {waits if reported else 'answers again'}")
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=LEAVE_S)

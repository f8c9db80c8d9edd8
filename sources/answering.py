"""Tells within seconds that Kafka does not answer, and ends a command that has waited for long enough.

aiokafka waits for a broker without a word, and an idempotent producer for ever.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sources.errors import KafkaAwayError

T = TypeVar("T")

LOOK_S = 0.5
QUIET_S = 3.0
"""An answer that takes longer is told."""
LEAVE_S = 5.0
"""How long what was cancelled may take to let go."""


class Answering:
    """Knows since when Kafka owes an answer. `say` is told when it does not come, and when it does again."""

    def __init__(self, where: str, patience_s: float, say: Callable[[str], None]) -> None:
        self._where, self._patience_s, self._say = where, patience_s, say
        self._owed = 0
        self._since: float | None = None

    @contextmanager
    def owes(self) -> Iterator[None]:
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
        self.heard()

    def heard(self) -> None:
        """Note that something came from Kafka."""
        self._since = time.monotonic() if self._owed else None

    def quiet_s(self) -> float:
        """Return for how long an answer has been owed, in seconds."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    async def watch(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work. Raises KafkaAwayError where Kafka owes an answer for longer than the patience."""
        task = asyncio.create_task(work)
        told = False
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_S))[0]:
                quiet = self.quiet_s()
                if quiet > self._patience_s:
                    raise KafkaAwayError(f"Kafka at {self._where} has not answered for {self._patience_s:g} s")
                if (quiet > QUIET_S) != told:
                    told = not told
                    waits = f"does not answer: waiting, for {self._patience_s:g} s at most"
                    self._say(f"Kafka at {self._where} {waits if told else 'answers again'}")
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=LEAVE_S)

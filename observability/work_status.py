"""A process's record of its own work, from which its condition is derived (`condition`)."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from observability.condition import SHORT_S, Condition, Facts, Limits, ReaderPosition, Wait, Work, derive
from settings import Settings

LOOP_S, BUSY_S = 30.0, 0.5
"""An event loop that has not answered for this long hangs, or computes."""
TELLING: dict[object, int] = {"problem": 0, "kafka": 1, None: 2, "assignment": 9}
"""The order of several waits: the most informative first."""
Clock = Callable[[], float]
_BEGAN = time.time() - time.monotonic()


def steady() -> float:
    """Return the time in epoch seconds, counted from the process's start: changes of the system clock have no
    effect."""
    return _BEGAN + time.monotonic()


class LoopTurns:
    """Checks whether an event loop still runs its callbacks; never waits long itself."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wait_s: float = LOOP_S) -> None:
        self._loop, self._wait_s = loop, wait_s
        self._lock = threading.Lock()
        self._turned, self._asked = threading.Event(), 0.0
        self._turned.set()

    def __call__(self) -> str | None:
        """Return why the loop does not run, None if it does."""
        try:
            quiet_s = self._quiet_s()
        except RuntimeError:
            return "the event loop is closed"
        return f"the event loop has not answered for {quiet_s:.3g} s" if quiet_s >= self._wait_s else None

    def busy(self) -> bool:
        """Return whether the loop does not answer at once."""
        try:
            return self._quiet_s() > 0
        except RuntimeError:
            return True

    def _quiet_s(self) -> float:
        with self._lock:
            if self._turned.is_set():
                turned = threading.Event()
                self._loop.call_soon_threadsafe(turned.set)
                self._turned, self._asked = turned, time.monotonic()
            asked, turned = self._asked, self._turned
        return 0.0 if turned.wait(min(BUSY_S, self._wait_s)) else time.monotonic() - asked


class WorkStatus:
    """The work status of a process. Thread-safe.

    With each query of the condition `hangs` returns why the process can do nothing at all, None if it can; `problem`
    returns what the work waits for, None if for nothing. `busy` returns whether it computes right now, and so can do
    nothing else.
    """

    def __init__(self, settings: Settings | None = None, *, work_s: float = Limits.work_s, clock: Clock = steady):
        limits = Limits(work_s=work_s)
        if settings is not None:
            limits = replace(limits, stuck_s=settings.stuck_seconds, lag_s=settings.lag_seconds)
        self._clock, self._lock = clock, threading.Lock()
        self._facts = Facts(began=clock(), restarts=settings.restarted_at if settings else (), limits=limits)
        self._waits: dict[object, Wait] = {}
        self.hangs: Callable[[], str | None] = lambda: None
        self.problem: Callable[[], str | None] = lambda: None
        self.busy: Callable[[], bool] = lambda: False

    def now(self) -> float:
        """Return the time used here, in epoch seconds."""
        return self._clock()

    @property
    def limits(self) -> Limits:
        """Return the limits for a stuck reader and for a lag."""
        return self._facts.limits

    def follow(self, turns: LoopTurns) -> None:
        """Check an event loop from now on for hanging or computing."""
        self.hangs, self.busy = turns, turns.busy

    def condition(self) -> Condition:
        """Return the process's present condition."""
        hangs = self.hangs()
        self.wait(self.problem(), key="problem")
        with self._lock:
            waits = sorted(self._waits.items(), key=lambda item: TELLING.get(item[0], 3))
            facts = replace(self._facts, waits=tuple(wait for _, wait in waits), hangs=hangs)
        return derive(facts, self._clock())

    def wait(self, what: str | None, *, key: object = None, until: float | None = None, planned: bool = False) -> None:
        """Set what is waited for from now on, None: for nothing. Concurrent waits have different keys.

        Setting the same again, as pollers do, is a sign of life and does not change the start.
        """
        now = self._clock()
        with self._lock:
            known = self._waits.get(key)
            if what is None:
                self._waits.pop(key, None)
            else:
                since = known.since if known is not None and known.what == what else now
                self._waits[key] = Wait(what=what, since=since, until=until, planned=planned, sign=now)

    @contextmanager
    def waits(self, what: str) -> Iterator[None]:
        """Wait for something while in this block; reported if it takes long."""
        key = object()
        with self._lock:
            self._waits[key] = Wait(what=what, since=self._clock(), grace_s=SHORT_S)
        try:
            yield
        finally:
            self.wait(None, key=key)

    def waiting(self) -> bool:
        """Return whether anything is waited for."""
        self.wait(self.problem(), key="problem")
        now = self._clock()
        with self._lock:
            return any(wait.overdue(now) for wait in self._waits.values())

    def does(self, what: str) -> None:
        """Set the present activity; called at least before each round of work."""
        with self._lock:
            ended = None if self._facts.work is None else self._facts.work.ended
            self._facts = replace(self._facts, work=Work(ended, what, self._clock()))

    def did(self, what: str = "") -> None:
        """Record that a round of work has ended, and all waits with it."""
        now = self._clock()
        with self._lock:
            self._waits.pop(None, None)
            self._facts = replace(self._facts, work=Work(now, what, now))

    def saw(self, places: Sequence[ReaderPosition]) -> None:
        """Set the reader's position and the end of each of its partitions in Kafka."""
        with self._lock:
            self._facts = replace(self._facts, places=tuple(places), looked=self._clock())

    def expects_places(self) -> None:
        """Declare that the process reads topics: until their offsets are known, its condition is unknown."""
        with self._lock:
            self._facts = replace(self._facts, places=())

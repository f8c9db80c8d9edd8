"""An event loop with a clock of its own, which runs what is ready in an order drawn from a seed."""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any

Callback = Callable[..., Any]


class Process:
    """What dies at once: nothing that it has begun goes on after `kill`. While it is paused, nothing of it runs."""

    def __init__(self, name: str) -> None:
        self.name, self.alive, self.paused_until = name, True, 0.0

    def kill(self) -> None:
        """End it as SIGKILL would."""
        self.alive = False


owner: ContextVar[Process | None] = ContextVar("owner", default=None)
"""The process whose code runs; None is the broker's side."""


class Handle:
    """A callback that is ready, or waits for its time."""

    __slots__ = ("arguments", "callback", "cancelled", "context", "owner")

    def __init__(self, callback: Callback, arguments: tuple[Any, ...], context: Context | None) -> None:
        self.callback, self.arguments, self.cancelled = callback, arguments, False
        self.context = copy_context() if context is None else context
        self.owner = self.context.get(owner)

    def cancel(self) -> None:
        """Let it never run."""
        self.cancelled = True


class Loop(asyncio.AbstractEventLoop):
    """Runs coroutines without a thread, a socket or a real clock.

    Of what is ready any may come next: with probability `disorder` it is drawn, else the oldest runs. When nothing is
    ready, the clock jumps to the next timer.
    """

    def __init__(self, random: Random, disorder: float) -> None:
        self.random, self._disorder = random, disorder
        self._now, self._number = 0.0, 0
        self._ready: list[Handle] = []
        self._timers: list[tuple[float, int, Handle]] = []
        self._stopped = False
        self.steps = 0
        self.errors: list[dict[str, Any]] = []

    def time(self) -> float:
        """Return the loop's time in seconds, from 0."""
        return self._now

    def call_soon(self, callback: Callback, *args: Any, context: Context | None = None) -> Any:
        """Make the callback ready."""
        handle = Handle(callback, args, context)
        self._ready.append(handle)
        return handle

    def call_at(self, when: float, callback: Callback, *args: Any, context: Context | None = None) -> Any:
        """Make the callback ready at that time."""
        handle = Handle(callback, args, context)
        self._number += 1
        heapq.heappush(self._timers, (when, self._number, handle))
        return handle

    def call_later(self, delay: float, callback: Callback, *args: Any, context: Context | None = None) -> Any:
        """Make the callback ready after a delay."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:
        """Start a task; one that is left behind by a dead process is no error."""
        task = asyncio.Task(coro, loop=self, **options)
        task._log_destroy_pending = False
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what nobody asked for; the schedule fails by it."""
        self.errors.append(context)

    def get_debug(self) -> bool:
        """Return False."""
        return False

    def is_running(self) -> bool:
        """Return True: code that asks runs in it."""
        return True

    def is_closed(self) -> bool:
        """Return False."""
        return False

    def stop(self) -> None:
        """Run nothing more."""
        self._stopped = True

    def run(self, start: Callback) -> None:
        """Call `start`, and run until `stop`, or until nothing is left to do."""
        asyncio._set_running_loop(self)
        try:
            self.call_soon(start)
            while not self._stopped and (self._ready or self._timers):
                self._turn()
        finally:
            asyncio._set_running_loop(None)

    def _turn(self) -> None:
        ready, timers = self._ready, self._timers
        if not ready:
            self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            ready.append(heapq.heappop(timers)[2])
        place = int(self.random.random() * len(ready)) if self.random.random() < self._disorder else 0
        handle = ready.pop(place)
        process = handle.owner
        if handle.cancelled or (process is not None and not process.alive):
            return
        if process is not None and process.paused_until > self._now:
            self._number += 1
            heapq.heappush(timers, (process.paused_until, self._number, handle))
            return
        self.steps += 1
        handle.context.run(handle.callback, *handle.arguments)

"""A server of the tests in a thread, with an event loop of its own."""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self


class Threaded(ABC):
    """Listens from the beginning of a block to its end."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @abstractmethod
    async def _start(self) -> None:
        """Begin to listen."""

    @abstractmethod
    async def _stop(self) -> None:
        """End what was begun."""

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._stop())
        self._loop.close()

    @contextmanager
    def listening(self) -> Iterator[Self]:
        """Listen, until the block ends."""
        self._thread.start()
        assert self._ready.wait(30)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(30)

"""A Faust stream that gives an agent what has come at once: more together only when the agent is behind."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import faust
from faust.types import EventT


class EagerStream(faust.Stream):  # type: ignore[type-arg] # Faust's class cannot be subscripted when it runs
    """Faust's stream, with `take_arrived` beside `noack_take`, which waits until a time has passed."""

    async def take_arrived(self, most: int) -> AsyncIterator[list[EventT[Any]]]:
        """Yield the events that have come, at most so many; the agent acknowledges them.

        While it works, one more at most is out of the stream's queue, which is emptied at a rebalance.
        """
        kept: list[EventT[Any]] = []
        news, free = asyncio.Event(), asyncio.Event()
        free.set()

        async def keep(value: Any) -> Any:
            event = self.current_event
            if event is None:
                raise RuntimeError("a stream's processor runs without an event")
            await free.wait()
            kept.append(event)
            news.set()
            if len(kept) >= most:
                free.clear()
            return value

        acknowledges, self.enable_acks = self.enable_acks, False
        self.add_processor(keep)
        channel: Any = aiter(self.channel)
        self._enable_passive(channel)
        try:
            while not self.should_stop:
                free.set()
                await news.wait()
                size = 0
                while size < len(kept) < most:  # what was fetched together comes in the next turns of the loop
                    size = len(kept)
                    await asyncio.sleep(0)
                free.clear()
                news.clear()
                events = kept.copy()
                kept.clear()
                yield events
        finally:
            self.enable_acks = acknowledges
            self._processors.remove(keep)

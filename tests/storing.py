"""Stores records as `stream.persist` does, for the tests of those who read them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from storage.timescale import Writer
from topics.catalog import Topic

T = TypeVar("T")


def aside(work: Callable[[], T]) -> T:
    """Do something in a thread of its own: Playwright keeps an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def store(url: str, *batches: Mapping[Topic, Sequence[Any]]) -> None:
    """Store batches, one after the other."""

    async def write() -> None:
        writer = Writer(url)
        for batch in batches:
            await writer.write(batch)
        await writer.close()

    aside(lambda: asyncio.run(write()))

"""While records come, a fetch waits for as many bytes as the app says, and while none do, for the first record."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.admin import NewTopic

from broker import clients
from settings.broker import Address
from stream.persist import FETCH
from stream.recovery import ConsumerThread, Fetch

TOPIC = "fetched"
RECORDS, EVERY_S = 150, 0.01


class InLoop(ConsumerThread):
    """The thread's consumer, in the caller's own loop."""

    def __init__(self, consumer: Any, fetch: Fetch) -> None:
        self._consumer, self.app, self.fetches = consumer, SimpleNamespace(fetch=fetch), 0
        make = consumer._fetcher._proc_fetch_request

        async def count(*args: Any) -> Any:
            self.fetches += 1
            return await make(*args)

        consumer._fetcher._proc_fetch_request = count

    async def call_thread(self, fun: Any, consumer: Any, *_: Any, timeout: float, max_records: int) -> Any:  # noqa: ARG002, ASYNC109 - Faust's
        return await consumer.getmany(timeout_ms=int(1000 * timeout), max_records=max_records)

    async def read(self, records: int) -> None:
        while records > 0:
            for some in (await self.getmany(None, 1.0)).values():
                records -= len(some)


async def read_with(kafka: Address, fetch: Fetch) -> tuple[int, float]:
    """Return how many fetches records at 100 a second took, and how long a record took that came after silence (s)."""
    consumer, producer = clients.consumer(kafka, TOPIC), clients.producer(kafka)
    await consumer.start()
    await producer.start()
    try:
        await consumer.seek_to_end()
        thread = InLoop(consumer, fetch)
        reading = asyncio.create_task(thread.read(RECORDS))
        for _ in range(RECORDS):
            await producer.send_and_wait(TOPIC, b"x")
            await asyncio.sleep(EVERY_S)
        await reading
        fetches = thread.fetches
        assert not await thread.getmany(None, 1.0)
        await asyncio.sleep(0.3)  # the fetch that waits for more ends
        reading, begun = asyncio.create_task(thread.read(1)), time.perf_counter()
        await producer.send_and_wait(TOPIC, b"x")
        await reading
        return fetches, time.perf_counter() - begun
    finally:
        await consumer.stop()
        await producer.stop()


async def compared(kafka: Address) -> dict[Fetch, tuple[int, float]]:
    admin = clients.admin(kafka)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    await admin.close()
    return {
        fetch: await read_with(kafka, fetch) for fetch in (Fetch(), FETCH, Fetch(least_bytes=65_536, wait_ms=2_000))
    }


@pytest.mark.services
def test_fetches_wait_for_more_while_records_come_and_for_one_while_none_do(servers: Any) -> None:
    result = asyncio.run(compared(servers.broker))
    (each, _), (some, _), (few, after_silence) = result.values()
    assert each > 2 * some > 2 * few
    assert after_silence < 1.0

"""How far the pipeline is behind Kafka, and how each component is: read by threads of their own.

Unknown where Kafka does not answer; nothing is told of components where no supervisor runs here.
"""

import asyncio
import contextlib
import threading
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from settings import Settings
from sources import broker
from stack.conditions import Shown, shown
from topics.catalog import PERSIST_GROUP, TOPICS, WORKER_GROUP

GROUPS = {"forecast": WORKER_GROUP, "store": PERSIST_GROUP}
"""What the page calls the consumer groups."""
PERIOD_S = 3.0
TIMEOUT_MS = 5_000


async def group_lag(admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, group: str) -> int | None:
    """Return how many Kafka records (frames) the group has still to read, or None where it has committed nothing."""
    names = {topic.name for topic in TOPICS}
    committed = await admin.list_consumer_group_offsets(group)
    committed = {part: at for part, at in committed.items() if part.topic in names and at.offset >= 0}
    if not committed:
        return None
    ends = await consumer.end_offsets(list(committed))
    return sum(max(0, int(end) - int(committed[part].offset)) for part, end in ends.items())


class Lag:
    """The lag of each group of `GROUPS`, and the conditions; `now` and `conditions` never block."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._bootstrap = settings, settings.broker
        self._conditions: tuple[Shown, ...] = ()
        self._ended = threading.Event()
        self._asker = threading.Thread(target=self._ask, name="conditions", daemon=True)
        self._now: dict[str, int | None] = dict.fromkeys(GROUPS)
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="lag", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()
        self._asker.start()

    def stop(self) -> None:
        """End the threads."""
        self._ended.set()
        if self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()
        self._asker.join()

    def conditions(self) -> tuple[Shown, ...]:
        """Return how each component was when it was asked last."""
        return self._conditions

    def _ask(self) -> None:
        while not self._ended.wait(PERIOD_S if self._conditions else 1.0):
            self._conditions = tuple(shown(self._settings))

    def now(self) -> Mapping[str, int | None]:
        """Return the lag of each group as last read."""
        return self._now

    def _run(self) -> None:
        self._task = self._loop.create_task(self._follow())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.close()

    async def _follow(self) -> None:
        while True:
            admin = broker.admin(self._bootstrap, request_timeout_ms=TIMEOUT_MS)
            consumer = broker.consumer(self._bootstrap, request_timeout_ms=TIMEOUT_MS)
            try:
                await admin.start()
                await consumer.start()
                while True:
                    async with asyncio.timeout(TIMEOUT_MS / 1000):
                        self._now = {name: await group_lag(admin, consumer, GROUPS[name]) for name in GROUPS}
                    await asyncio.sleep(PERIOD_S)
            except (KafkaError, OSError, TimeoutError):
                self._now = dict.fromkeys(GROUPS)
            finally:
                await consumer.stop()
                await admin.close()
            await asyncio.sleep(PERIOD_S)

"""How far the pipeline is behind Kafka, and how each component is: read by threads of their own.

While Kafka does not answer the lag is what it was, and `problem` says so; components are not shown if no supervisor
runs here.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from broker.interface import ConsumerClient
from dashboard.failures import Failed, Failures
from observability.lag import UNKNOWN, ConsumerLag, length
from observability.lag_reader import Span, waiting
from settings import Settings
from stack.conditions import ComponentSummary, shown
from stack.topic_lag import admin_client, committed_by, consumer_client, stands
from storage.errors import reason
from topics.catalog import PERSIST_GROUP, TOPICS, WORKER_GROUP

GROUPS = {"forecast": WORKER_GROUP, "store": PERSIST_GROUP}
"""What the page calls the consumer groups."""
PERIOD_S = 3.0
ANSWER_S = 20.0
OLD_S = 10.0
"""A lag that was read so long ago is not that of now."""


async def group_lag(admin: AIOKafkaAdminClient, consumer: ConsumerClient, group: str) -> ConsumerLag:
    """Return what the group has still to read, unknown where it has committed nothing."""
    names = {topic.name for topic in TOPICS}
    committed = {part: at for part, at in (await committed_by(admin, group)).items() if part.topic in names and at >= 0}
    if not committed:
        return UNKNOWN
    first, end = await consumer.beginning_offsets(list(committed)), await consumer.end_offsets(list(committed))
    spans = {part: Span(first[part], stands(part, first, committed), end[part]) for part in committed}
    return ConsumerLag.of((await waiting(consumer, spans)).values())


class LagMonitor:
    """The lag of each group of `GROUPS`, and the conditions; what returns them never blocks."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._bootstrap = settings, settings.broker
        self._conditions: tuple[ComponentSummary, ...] = ()
        self._ended, self._noted = threading.Event(), Failures("lag")
        self._asker = threading.Thread(target=self._ask, name="conditions", daemon=True)
        self._now = dict.fromkeys(GROUPS, UNKNOWN)
        self._read_at: float | None = None
        self._error = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to read."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="lag", daemon=True)
        self._thread.start()
        self._asker.start()

    def stop(self) -> None:
        """End the threads."""
        self._ended.set()
        if self._task is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        if self._thread is not None:
            self._thread.join()
        self._asker.join()

    @property
    def alive(self) -> bool:
        """Return whether both threads still read."""
        return self._asker.is_alive() and self._thread is not None and self._thread.is_alive()

    @property
    def failing(self) -> str | None:
        """Return the error by which one did not read lately, None if both did."""
        return self._noted.lately

    def conditions(self) -> tuple[ComponentSummary, ...]:
        """Return the last known condition of each component."""
        return self._conditions

    def _ask(self) -> None:
        while not self._ended.wait(PERIOD_S if self._conditions else 1.0):
            conditions = self._noted.attempt(lambda: tuple(shown(self._settings)))
            if not isinstance(conditions, Failed):
                self._conditions = conditions

    def now(self) -> Mapping[str, ConsumerLag]:
        """Return the lag of each group as last read."""
        return self._now

    def problem(self) -> str:
        """Return why the lag is not that of now, in a sentence; "" if it is."""
        read_at, error = self._read_at, self._error
        age = None if read_at is None else time.monotonic() - read_at
        if not error and (age is None or age <= OLD_S):
            return ""
        said = error or f"Kafka at {self._settings.kafka} has not answered."
        return f"{said} The lag {'is not known' if age is None else f'is that of {length(age)} ago'}."

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        self._task = loop.create_task(self._follow())
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(self._task)
        loop.close()

    async def _follow(self) -> None:
        while True:
            try:
                async with admin_client(self._bootstrap) as admin, consumer_client(self._bootstrap) as consumer:
                    while True:
                        async with asyncio.timeout(ANSWER_S):
                            self._now = {name: await group_lag(admin, consumer, GROUPS[name]) for name in GROUPS}
                        self._read_at, self._error = time.monotonic(), ""
                        await asyncio.sleep(PERIOD_S)
            except (KafkaError, OSError, TimeoutError) as error:
                self._error = f"No answer from Kafka at {self._settings.kafka} ({reason(error)})."
            except Exception as error:  # noqa: BLE001 - whatever it is, it is noted, and the page says it
                self._error = self._noted.note(error)
            await asyncio.sleep(PERIOD_S)

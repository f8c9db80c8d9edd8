"""The alerts worker: evaluates rules, publishes, delivers. `python -m alerts.worker` runs it.

Only one works at a time; a second one is on standby until the first's connection to the database is gone.
"""

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable

import psycopg
from aiokafka.errors import KafkaError
from prometheus_client import REGISTRY
from psycopg import AsyncConnection

from alerts import component_health
from alerts.consumer import BatchEvaluator, read
from alerts.consumer_lag import ConsumerLag
from alerts.delivery.dispatch import Dispatch
from alerts.metrics import WaitingDeliveries
from alerts.publisher import publish
from alerts.store import worker_settings
from alerts.watch import AlertEngine
from broker.confirmed_send import KafkaWriter
from broker.data_loss import Losses
from observability import logs
from observability.consumer_lag import ReaderMonitor
from observability.probe import Probe
from observability.tracing import tracer
from observability.work_status import LoopTurns, WorkStatus
from settings import Settings
from storage import locks
from storage.locks import Lock
from stream.poison_records import Guard
from topics.catalog import ALERTS_GROUP, READ_FOR_ALERTS

log = logging.getLogger("foretick")

HEALTH_S = 5.0
KAFKA_AGAIN_S = DATABASE_AGAIN_S = 2.0
CONNECT_S = 10


class Worker:
    """The process's work, in five tasks over three connections and one for each subscriber."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._alone = asyncio.Lock()
        self._made = asyncio.Event()
        self.lag, self.waiting = ConsumerLag(), WaitingDeliveries()
        self._writer = KafkaWriter(settings.broker)
        self._tracer = tracer("alerts", settings)
        self._losses = Losses(ALERTS_GROUP, self._writer, [topic.name for topic in READ_FOR_ALERTS])
        self._idle: str | None = "the database does not answer yet"
        self._unpublished: str | None = None
        self._notify = self.worked = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until stopped. Raises psycopg.Error if the database is lost."""
        try:
            async with await self.connect() as connection, await self.connect() as writer:
                await self._stand_by(connection, stopping)
                if not stopping.is_set():
                    await self._work(connection, writer, stopping)
        finally:
            await self._writer.stop()

    async def _work(self, connection: AsyncConnection, writer: AsyncConnection, stopping: asyncio.Event) -> None:
        if self._notify:
            log.info("the database answers again")
        await worker_settings.note(connection, self._settings)
        self._notify, self._idle, self.worked = False, None, True
        kafka, watch = self._settings.broker, AlertEngine(connection)
        dispatch = Dispatch(self._settings, self.connect, self.waiting, self._tracer)
        evaluator = BatchEvaluator(watch, Guard.of(self._settings, "alerts", "alerts"), self._writer, self._tracer)
        reading = again("read", lambda: read(kafka, evaluator, self._alone, self._note, self.lag, self._losses))
        tasks = [
            asyncio.create_task(reading),
            asyncio.create_task(self._losses.run()),
            asyncio.create_task(again("publish", lambda: self._publish(writer))),
            asyncio.create_task(self._look_at_health(watch)),
            asyncio.create_task(dispatch.run()),
            asyncio.create_task(_until(stopping)),
        ]
        await _first_of(tasks)

    def problem(self) -> str | None:
        """Return what prevents its work, None if nothing does."""
        return self._idle or self.lag.problem or self._unpublished

    def lost(self, error: psycopg.Error) -> None:
        """Record that the database is away, which has all state: work stops until it is back."""
        if not self._notify:
            log.warning("the database: %s; waiting", " ".join(str(error).split()))
        self._notify, self._idle = True, f"the database does not answer: {' '.join(str(error).split())}"

    async def connect(self) -> AsyncConnection:
        """Return a connection of its own."""
        url = self._settings.database_url.get_secret_value()
        return await AsyncConnection.connect(locks.keepalive_url(url), autocommit=True, connect_timeout=CONNECT_S)

    async def _stand_by(self, connection: AsyncConnection, stopping: asyncio.Event) -> None:
        reported = False
        while not stopping.is_set():
            if await locks.try_lock_async(connection, Lock.ALERTS):
                return
            if not reported:
                self._idle = "another alerts worker works; this one is on standby"
                log.info("%s", self._idle)
                reported = True
            await asyncio.sleep(1.0)

    def _note(self, made: int) -> None:
        if made:
            self._made.set()

    async def _publish(self, connection: AsyncConnection) -> None:
        try:
            await publish(self._settings.broker, connection, self._more)
        except (KafkaError, OSError) as error:
            self._unpublished = f"alerts cannot be published: {error}"
            raise

    async def _more(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._made.wait()
        self._made.clear()
        self._unpublished = None

    async def _look_at_health(self, watch: AlertEngine) -> None:
        while True:
            seen = component_health.read(self._settings.home, int(time.time() * 1000))
            if seen:
                async with self._alone:
                    self._note(await watch.take({"health": seen}, {}))
            await asyncio.sleep(HEALTH_S)


async def again(what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run a task that needs Kafka, and restart it when Kafka fails: deliveries continue without it."""
    while True:
        try:
            await work()
        except (KafkaError, OSError) as error:
            log.warning("alerts %s: %s; trying again", what, error)
            await asyncio.sleep(KAFKA_AGAIN_S)


async def _until(stopping: asyncio.Event) -> None:
    await stopping.wait()


async def _first_of(tasks: "list[asyncio.Task[None]]") -> None:
    """Wait for the first task that ends, end the others, and raise its error."""
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def main(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    work_status = WorkStatus(settings)
    work_status.follow(LoopTurns(asyncio.get_running_loop()))
    worker = Worker(settings)
    work_status.problem = worker.problem
    REGISTRY.register(worker.lag)
    REGISTRY.register(worker.waiting)
    ReaderMonitor(settings.broker, ALERTS_GROUP, worker.lag.reads, work_status).start()
    Probe("alerts", work_status.condition).start(settings)
    while not stopping.is_set():
        try:
            await worker.run(stopping)
        except psycopg.OperationalError as lost:
            if not worker.worked:
                raise  # it never answered: more likely a wrong address than a database that is away
            worker.lost(lost)
            await asyncio.sleep(DATABASE_AGAIN_S)


if __name__ == "__main__":
    configured = Settings()
    logs.configure("alerts", configured)
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    # They log every requested address, which may contain a secret.
    for library in ("httpx", "httpcore"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    try:
        asyncio.run(main(configured))
    except psycopg.Error as lost:
        log.critical("the database: %s", " ".join(str(lost).split()))
        sys.exit(1)

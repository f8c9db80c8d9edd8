"""Runs a delivery for every subscriber, as they are added, changed and removed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from psycopg import AsyncConnection

from alerts import metrics
from alerts.delivery.channels import open_channel
from alerts.delivery.deliver import Delivery
from alerts.delivery.queue import Queue, give_up
from alerts.rules.link import dashboard
from alerts.store import rule_set, secret_file
from alerts.store.secret_file import Secret
from alerts.subscriber import Subscriber
from observability.tracer import OFF, Tracer
from settings import Settings

log = logging.getLogger("foretick")

LOOK_S = 1.0
COUNT_EVERY = 5
GIVE_UP_EVERY = 60
STOP_S = 15.0

Connect = Callable[[], Awaitable[AsyncConnection]]


@dataclass
class RunningDelivery:
    """A running delivery, and its configuration."""

    subscriber: Subscriber
    secret: Secret | None
    task: "asyncio.Task[None]"
    stopping: asyncio.Event


class Dispatch:
    """Runs the deliveries, each over a database connection of its own."""

    def __init__(
        self, settings: Settings, connect: Connect, waiting: metrics.WaitingDeliveries, tracer: Tracer = OFF
    ) -> None:
        self._settings, self._connect, self._waiting = settings, connect, waiting
        self._tracer = tracer
        self._running: dict[str, RunningDelivery] = {}

    async def run(self) -> None:
        """Run for ever. Raises a delivery's error: an unreachable database."""
        connection = await self._connect()
        looks = 0
        try:
            while True:
                await self._adjust((await rule_set.read(connection)).subscribers)
                if looks % GIVE_UP_EVERY == 0:
                    await self._give_up(connection)
                if looks % COUNT_EVERY == 0:
                    await self._waiting.look(connection)
                looks += 1
                await asyncio.sleep(LOOK_S)
        finally:
            await asyncio.gather(*(self._stop(name) for name in list(self._running)))
            await connection.close()

    async def _give_up(self, connection: AsyncConnection) -> None:
        given_up = await give_up(connection, self._settings.alerts_retry_days)
        for channel, count in given_up.items():
            metrics.given_up(channel, count)
        if given_up:
            log.error("%d deliveries of alerts were given up: foretick alerts list", sum(given_up.values()))

    async def _adjust(self, wanted: tuple[Subscriber, ...]) -> None:
        try:
            secrets = secret_file.read(self._settings.home)
        except ValueError as error:
            log.error("%s", error)
            secrets = {}
        for running in self._running.values():
            if running.task.done():
                running.task.result()
        by_name = {subscriber.name: subscriber for subscriber in wanted}
        for name, running in list(self._running.items()):
            if (by_name.get(name), secrets.get(name)) != (running.subscriber, running.secret):
                await self._stop(name)
        for name, subscriber in by_name.items():
            if name not in self._running:
                stopping = asyncio.Event()
                task = asyncio.create_task(self._deliver(subscriber, secrets.get(name), stopping))
                self._running[name] = RunningDelivery(subscriber, secrets.get(name), task, stopping)

    async def _stop(self, name: str) -> None:
        """Wait a limited time for the message in transit."""
        running = self._running.pop(name)
        running.stopping.set()
        await asyncio.wait([running.task], timeout=STOP_S)
        running.task.cancel()
        await asyncio.gather(running.task, return_exceptions=True)

    async def _deliver(self, subscriber: Subscriber, secret: Secret | None, stopping: asyncio.Event) -> None:
        connection = await self._connect()
        channel = open_channel(subscriber, secret, self._settings)
        page = dashboard(self._settings)
        delivery = Delivery(subscriber, channel, Queue(connection, subscriber), page, tracer=self._tracer)
        try:
            while not stopping.is_set():
                wait = await delivery.once()
                if wait:
                    await first(wait, stopping)
        finally:
            await delivery.close()
            await connection.close()


async def first(seconds: float, stopping: asyncio.Event) -> None:
    """Wait for this long, or until stopped."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return

"""The broker that the engines of a round share, each with topics and a consumer group of its own."""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
from aiokafka.admin import NewTopic

from bench.replay import processes, running
from bench.stream.work import Job
from broker import clients
from broker.admin import create_topics
from settings import Settings
from settings.broker import Address, at
from topics.catalog import TICKS


class SharedBroker(NamedTuple):
    """A broker with its processes, its folder, and the environment that points at it."""

    address: Address
    members: list[psutil.Process]
    home: Path
    environment: Mapping[str, str]

    def job(self, name: str) -> Job:
        """Return the job of an engine, whose topics are made: as the stack's user, who may make what engines need."""
        client = at(self.address).client()
        job = Job(
            bootstrap=str(client["bootstrap_servers"]),
            user=str(client.get("sasl_plain_username", "")),
            password=str(client.get("sasl_plain_password", "")),
            mechanism=str(client.get("sasl_mechanism", "")),
            source=f"ticks-{name}",
            sink=f"indicators-{name}",
            group=name,
        )
        asyncio.run(_make(self.address, (job.source, job.sink)))
        return job


@contextmanager
def shared_broker() -> Iterator[SharedBroker]:
    """Run a broker in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="foretick-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        with running(home, ("kafka",)) as environment:
            address = Settings(home=home).broker
            create_topics(address)
            yield SharedBroker(address, processes(home, ("kafka",))["kafka"], home, environment)


async def _make(broker: Address, names: tuple[str, ...]) -> None:
    admin = clients.admin(broker)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, TICKS.partitions, 1, topic_configs=TICKS.config()) for name in names])
    finally:
        await admin.close()

"""The servers for a backup or a restoration: the database, our own being started for it, and which Kafka."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiokafka.errors import KafkaError

from settings import Settings
from stack import background, kafka, state
from stack.errors import MachineError
from stack.progress import Progress
from stack.servers import is_external
from stack.supervisor import is_locked


@contextmanager
def running(home: Path) -> Iterator[str]:
    """Yield the address of the database. Our own is started, alone, where the stack does not run, and then stopped.

    Raises MachineError if it cannot be started.
    """
    if is_external("postgres") or is_locked(home):
        known = state.read(home)
        if not is_external("postgres") and (known is None or not known.components["postgres"].works):
            raise MachineError("the stack's database does not work: see `./foretick status`")
        yield Settings().database_url.get_secret_value()
        return
    quiet = Progress("starting", "healthy", "running", "done", "stopped", "waiting")
    supervisor = background.start(home, ("postgres",), quiet)
    try:
        yield Settings().database_url.get_secret_value()
    finally:
        background.stop(home, quiet)
        supervisor.wait()


def cluster(settings: Settings) -> str | None:
    """Return the id of the Kafka cluster, None if it does not answer."""
    try:
        return asyncio.run(kafka.check(settings.broker))
    except (KafkaError, OSError, TimeoutError):
        return None

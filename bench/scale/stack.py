"""A stack of its own with any number of workers, and what is measured of it."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg

from bench.features_stream import wait_for_the_workers
from bench.latency import tick
from bench.replay import FULL, cpu, processes, rss_mb, running
from broker.producer import producer
from settings import ROOT, Settings
from settings.broker import Address
from stack.topic_lag import lag
from topics import codec
from topics.catalog import TICKS

OTHERS = tuple(name for name in FULL if name != "worker")
MEASURED = ("kafka", "postgres", "redis", "persist")
START = 1_767_225_600_000
MINUTE_MS = 60_000
POLL_S = 0.5
DRAIN_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Part:
    """So many minutes of a market from the minute `first` on, with so many trades of each symbol in each."""

    first: int
    minutes: int
    trades: int


@dataclass(frozen=True, kw_only=True)
class WorkedStack:
    """A running stack in `home`, and its workers."""

    home: Path
    kafka: Address
    database_url: str
    workers: list[psutil.Process]

    def cpu_seconds(self) -> dict[str, float]:
        """Return what each component has used; the workers together."""
        used = {name: cpu(some) for name, some in processes(self.home, MEASURED).items()}
        return {**used, "worker": cpu(self.workers)}

    def worker_mib(self) -> float:
        """Return the resident memory of the workers together."""
        return rss_mb(self.workers)

    def bars(self) -> int:
        """Return how many bars are stored."""
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute("SELECT count(*) FROM bars").fetchone()
        return int(row[0]) if row else 0

    def stored_bytes(self) -> dict[str, int]:
        """Return what PostgreSQL and Kafka hold on the disk."""
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        kafka = sum(path.stat().st_size for path in (self.home / "kafka").rglob("*.log") if path.is_file())
        return {"postgres": int(row[0]) if row else 0, "kafka": kafka}

    def drain(self) -> None:
        """Wait until worker and persist have read everything. Raises SystemExit if it takes too long."""
        deadline = time.monotonic() + DRAIN_S
        while any(behind != 0 for behind in asyncio.run(lag(self.kafka)).values()):
            if time.monotonic() > deadline:
                raise SystemExit(f"worker and persist were still behind after {DRAIN_S:.0f} s")
            time.sleep(POLL_S)


@contextmanager
def worked(count: int, models: tuple[str, ...] = ()) -> Iterator[WorkedStack]:
    """Run the stack with that many workers and these models, in a folder that is removed afterwards."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory(prefix="foretick-bench-", ignore_cleanup_errors=True)))
        others = {"FORETICK_MODELS": ",".join(models)} if models else {}
        environment = stack.enter_context(running(home, OTHERS, others))
        settings = Settings(home=home)
        started = [stack.enter_context(_worker(environment, home, number)) for number in range(count)]
        wait_for_the_workers(settings.broker, count)
        yield WorkedStack(
            home=home,
            kafka=settings.broker,
            database_url=settings.database_url.get_secret_value(),
            workers=[psutil.Process(one.pid) for one in started],
        )


@contextmanager
def _worker(environment: dict[str, str], home: Path, number: int) -> Iterator["subprocess.Popen[bytes]"]:
    variables = {**environment, "FORETICK_WORKER_NAME": f"scale-{number}"}
    command = [sys.executable, "-m", "stream.worker"]
    with (home / f"worker-{number}.log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def send(kafka: Address, symbols: tuple[str, ...], part: Part) -> None:
    """Send the single ticks of a part for all symbols, as fast as Kafka takes them."""
    sender = producer(kafka, linger_ms=5)
    await sender.start()
    try:
        for minute in range(part.first, part.first + part.minutes):
            for number in range(part.trades):
                into = int((number + 0.5) * MINUTE_MS / part.trades)
                for symbol in symbols:
                    value = codec.encode([tick(symbol, START, minute, into)])
                    await sender.send(TICKS.name, value, key=symbol.encode(), headers=codec.HEADERS)
    finally:
        await sender.stop()

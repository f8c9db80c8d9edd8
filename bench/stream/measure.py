"""One run of one engine on a broker of its own: throughput or latency, CPU, memory, and whether the rows are right."""

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from aiokafka.admin import NewTopic

from bench.replay import cpu, rss_mb, running
from bench.stream.environment import Engine
from bench.stream.market import Feed, arrivals, judged, right
from bench.stream.work import Job
from broker import clients
from broker.admin import create_topics
from settings import ROOT, Settings
from settings.broker import Address, at
from topics.catalog import TICKS

DEADLINE_S = 300.0
WARM_TICKS = 40
"""Ticks of each symbol before the clock starts: an engine has then started, joined its group and compiled."""
QUIET_S = 1.0
SINK = "indicators"


@dataclass(frozen=True, kw_only=True)
class Load:
    """What an engine gets: ticks of so many symbols, `rows` in a Kafka record; at a rate, or all at once if it is 0."""

    ticks: int
    symbols: int = 20
    rows: int = 1
    rate: float = 0.0


@contextmanager
def _engine(engine: Engine, job: Job, environment: dict[str, str], log: Path) -> Iterator[psutil.Process]:
    variables = environment | {
        "ENGINE": json.dumps(job),
        "PARTITIONS": str(TICKS.partitions),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }
    command = [str(engine.python()), "-m", f"bench.stream.engines.{engine.program}"]
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=file, stderr=file)
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def run(engine: Engine, load: Load) -> dict[str, object]:
    """Return the figures of a run. Raises SystemExit with the engine's last lines if it gets nowhere."""
    home = Path(tempfile.mkdtemp(prefix="foretick-bench-"))
    try:
        with running(home, ("kafka",)) as environment:
            broker = Settings(home=home).broker
            create_topics(broker)
            job = _job(broker)
            asyncio.run(_make_sink(broker))
            log = home / "engine.log"
            with _engine(engine, job, environment, log) as process:
                feed = Feed(job, load.symbols, load.rows)
                try:
                    return _measured(feed, load, process, log)
                finally:
                    feed.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _job(broker: Address) -> Job:
    """Return the job on our own broker, as the stack's user: engines make topics of their own."""
    client = at(broker).client()
    return Job(
        bootstrap=str(client["bootstrap_servers"]),
        user=str(client.get("sasl_plain_username", "")),
        password=str(client.get("sasl_plain_password", "")),
        mechanism=str(client.get("sasl_mechanism", "")),
        source=TICKS.name,
        sink=SINK,
        group="engine",
    )


async def _make_sink(broker: Address) -> None:
    admin = clients.admin(broker)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(SINK, TICKS.partitions, 1)])
    finally:
        await admin.close()


def _measured(feed: Feed, load: Load, process: psutil.Process, log: Path) -> dict[str, object]:
    feed.send(WARM_TICKS * load.symbols * load.rows)
    feed.flush()
    _wait(feed, process, log)
    time.sleep(QUIET_S)
    members = [process, *process.children(recursive=True)]
    before, warm, begun = cpu(members), feed.sent, time.monotonic()
    if load.rate:
        sent = feed.send_at(load.rate, load.ticks / load.rate)
    else:
        sent = {}
        feed.send(load.ticks)
        feed.flush()
    _wait(feed, process, log)
    seconds, used, count = time.monotonic() - begun, cpu(members) - before, feed.sent - warm
    figures: dict[str, object] = {
        "ticks": count,
        "cpu_seconds_per_100000": round(used / count * 1e5, 2),
        "memory_mib": round(rss_mb(members)),
        **judged(feed.values, right(load.symbols, feed.sent)),
    }
    if not load.rate:
        return {"ticks_per_second": round(count / seconds), **figures}
    came = arrivals(feed.values)
    took = np.array([came[key] - at for key, at in sent.items()]) * 1000
    return {f"p{name}_ms": round(float(np.percentile(took, float(name))), 1) for name in ("50", "99", "99.9")} | figures


def _wait(feed: Feed, process: psutil.Process, log: Path) -> None:
    """Read until there is a row for each tick."""
    deadline = time.monotonic() + DEADLINE_S
    while feed.rows < feed.sent:
        if time.monotonic() > deadline or not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            raise SystemExit(f"{feed.rows} of {feed.sent} rows came:\n{log.read_text()[-2_000:]}")
        feed.read(0.05)

"""One engine through its loads, one after another in one life: rows a second, latency, CPU, memory, wrong rows."""

import gc
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench import memory
from bench.replay import cpu
from bench.stream.broker import SharedBroker
from bench.stream.environment import Engine
from bench.stream.feed import Feed
from bench.stream.market import arrivals, judged, right
from bench.stream.work import Job
from settings import ROOT
from topics.catalog import TICKS

PATIENCE_S = 120.0
"""How long no row may come: an engine is given up then, however slow it may be otherwise."""
WARM_TURNS = 40
"""Records of each symbol before the clock starts: an engine has then started, joined its group and compiled."""
QUIET_S = 1.0
SYMBOLS = 20
Figures = dict[str, Any]


class EngineError(Exception):
    """An engine that cannot be measured, with one line why."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """So many ticks, `rows` in a Kafka record, as fast as they go; or single ones at a `rate` a second, unless it is
    0."""

    ticks: int
    rows: int = 1
    rate: float = 0.0


@dataclass(kw_only=True)
class Session:
    """An engine at work, with what it is measured by."""

    feed: Feed
    process: psutil.Process
    broker: list[psutil.Process]
    log: Path

    def members(self) -> list[psutil.Process]:
        """Return the engine's processes."""
        return [self.process, *self.process.children(recursive=True)]

    def measured(self, load: Load) -> Figures:
        """Return the figures of a load. Raises EngineError if not every tick has its row in time."""
        self._send(WARM_TURNS * SYMBOLS * load.rows, load.rows)
        time.sleep(QUIET_S)
        members, first, read = self.members(), self.feed.sent, len(self.feed.values)
        before, of_broker = cpu(members), cpu(self.broker)
        figures = self._at_a_rate(load, read) if load.rate else {"rows_per_second": self._send(load.ticks, load.rows)}
        count = self.feed.sent - first
        return figures | {
            "rows": count,
            "cpu_seconds_per_100000": round((cpu(members) - before) / count * 1e5, 3),
            "broker_cpu_seconds_per_100000": round((cpu(self.broker) - of_broker) / count * 1e5, 3),
        }

    def _send(self, count: int, rows: int) -> int:
        """Send that many ticks and wait for their rows; return how many a second."""
        send = self.feed.prepared(count, rows)
        begun = time.perf_counter()
        send()
        self._wait()
        return round(count / (time.perf_counter() - begun))

    def _at_a_rate(self, load: Load, read: int) -> Figures:
        due = self.feed.send_at(load.rate, load.ticks / load.rate)
        self._wait()
        late = time.perf_counter() - max(due.values())
        came = arrivals(self.feed.times[read:], self.feed.values[read:])
        took = np.array([came[key] - at for key, at in due.items() if key in came]) * 1000
        quantiles = {f"p{name}_ms": round(float(np.percentile(took, float(name))), 1) for name in ("50", "99", "99.9")}
        return quantiles | {"seconds_behind_at_the_end": round(late, 2)}

    def _wait(self) -> None:
        """Read until there is a row for each tick."""
        rows, since = self.feed.rows, time.monotonic()
        while self.feed.rows < self.feed.sent:
            ended = not self.process.is_running() or self.process.status() == psutil.STATUS_ZOMBIE
            if ended or time.monotonic() > since + PATIENCE_S:
                why = "it ended" if ended else f"no row in {PATIENCE_S:.0f} s"
                raise EngineError(f"{why}: {self.feed.rows:,} of {self.feed.sent:,} rows came; {_last_line(self.log)}")
            self.feed.read(0.05)
            if self.feed.rows > rows:
                rows, since = self.feed.rows, time.monotonic()


def measure(engine: Engine, loads: Mapping[str, Load], broker: SharedBroker) -> Figures:
    """Return the figures of an engine by load, its peak memory, and how many rows are not right.

    Raises EngineError if it cannot be installed or run.
    """
    try:
        python = engine.python()
    except ValueError as error:
        raise EngineError(str(error)) from None
    job, log = broker.job(engine.title()), broker.home / f"{engine.title()}.log"
    feed = Feed(job, SYMBOLS)
    try:
        with _running(python, engine, job, broker.environment, log) as process:
            session = Session(feed=feed, process=process, broker=broker.members, log=log)
            gc.disable()  # millions of rows come back: to look through them all would take this process's time
            figures: Figures = {name: session.measured(load) for name, load in loads.items()}
            figures["peak_memory_mib"] = round(_peak_mib(session.members()))
        wrong = judged(feed.values, right(SYMBOLS, feed.sent) if engine.computes else _only_keys(feed.sent))
    finally:
        gc.enable()
        feed.close()
    return {**figures, **wrong}


def _only_keys(count: int) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Return what the ceiling is to write: ticks, without results."""
    return {key: {"time": one["time"]} for key, one in right(SYMBOLS, count).items()}


@contextmanager
def _running(
    python: Path, engine: Engine, job: Job, environment: Mapping[str, str], log: Path
) -> Iterator[psutil.Process]:
    variables = {
        **environment,
        "ENGINE": json.dumps(job),
        "PARTITIONS": str(TICKS.partitions),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "TMPDIR": str(log.parent),  # what an engine keeps on the disk is removed with the broker
    }
    command = [str(python), "-m", f"bench.stream.engines.{engine.program}"]
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


def _peak_mib(members: list[psutil.Process]) -> float:
    return sum(memory.status("VmHWM", one.pid) for one in members) / 1024


def _last_line(log: Path) -> str:
    """Return the last line of a log that says something."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it wrote no line"

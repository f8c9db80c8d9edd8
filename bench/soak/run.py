"""One soak: `foretick replay` feeds the default stack, which is looked at every few seconds."""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from bench.chaos.world import World
from bench.soak.audience import Audience
from bench.soak.errors import errors, explained
from bench.soak.figures import Figures, Look, figures
from bench.soak.market import written
from settings import ROOT
from stack import state
from stack.component_table import NAMES
from stack.topic_lag import lag

PACE, BARS_A_SECOND = "300x", 5.0
"""Five times FORETICK_SAMPLE_PACE as it comes."""
SYMBOLS = 2
SLOW_SHARE = 1 / 12
"""The share of the run, in its middle, in which the database is slow: ten minutes of two hours."""
LATENCY_S, BYTES_PER_S = 0.2, 40_000.0
LOOK_S = 5.0
DRAIN_S = 600.0
STEPS = ("prepare", "train", "deploy")
COUNTS = {
    "bars": "SELECT count(*) FROM bars",
    "features": "SELECT count(*) FROM features",
    "bars predicted by gbm": (
        "SELECT count(DISTINCT (symbol, time)) FROM predictions WHERE model = 'gbm' AND role = 'champion'"
    ),
}
TRAININGS = "SELECT count(*) FROM pipeline_runs WHERE state = 'done'"
MIB = 2**20


def run(minutes: float) -> Figures:
    """Run so many minutes, and return what was found."""
    bars = int(minutes * 60 * BARS_A_SECOND)
    world = World((*NAMES, *STEPS), None, {"FORETICK_SAMPLE": "false"}, small_disk=False)
    with tempfile.TemporaryDirectory(prefix="foretick-soak-") as folder:
        files = written(bars, Path(folder))
        try:
            world.start()
            audience = Audience(world=world)
            audience.start()
            begun = time.monotonic()
            feed = _replay(world, files)
            looks, slow = _watch(world, feed, begun, minutes * 60)
            looks += _drained(world, begun)
            result = figures(looks, minutes, PACE, slow)
            result.rows, result.missing = _rows(world, bars * SYMBOLS)
            ((result.trainings,),) = world.asked(TRAININGS)
            audience.stopping.set()
            result.streamed, result.pulled = audience.streamed, audience.pulled
            result.missing += audience.failed
            if feed.returncode != 0:
                result.missing.append(f"foretick replay ended with {feed.returncode}")
            result.explained, result.unexplained = explained(errors(world.home / "logs"))
            return result
        finally:
            world.stop()


def _replay(world: World, files: Sequence[Path]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "cli.main", "replay", *map(str, files), "--speed", PACE]
    with (world.home / "replay.log").open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, env=world.environment(), stdout=log, stderr=log)


def _watch(
    world: World, feed: "subprocess.Popen[bytes]", begun: float, seconds: float
) -> tuple[list[Look], tuple[float, float]]:
    """Look until the replay ends, with a slow database in the middle; return the looks, and when it was slow."""
    looks: list[Look] = []
    wanted = seconds * (1 - SLOW_SHARE) / 2, seconds * (1 + SLOW_SHARE) / 2
    slow_from = slow_until = 0.0
    proxy = world.proxies["postgres"]
    while feed.poll() is None:
        at = time.monotonic() - begun
        if not slow_from and at >= wanted[0]:
            proxy.latency_s, proxy.bytes_per_s, slow_from = LATENCY_S, BYTES_PER_S, at
        if not slow_until and at >= wanted[1]:
            proxy.latency_s, proxy.bytes_per_s, slow_until = 0.0, 0.0, at
        looks.append(look(world, begun))
        if len(looks) % 12 == 1:
            print(_line(looks[-1]), flush=True)
        time.sleep(LOOK_S)
    return looks, (round(slow_from, 1), round(slow_until, 1))


def _line(seen: Look) -> str:
    memory = " ".join(f"{name} {mib:.0f}" for name, mib in seen.memory.items())
    return f"{seen.at:7.0f} s, {seen.behind} behind, {seen.restarts} restarts, MiB: {memory} {dict(seen.unwell) or ''}"


def _drained(world: World, begun: float) -> list[Look]:
    """Look until everything that was sent is read; what was not is told by the rows that miss."""
    looks = []
    deadline = time.monotonic() + DRAIN_S
    while time.monotonic() < deadline:
        looks.append(look(world, begun))
        if looks[-1].behind == 0 and looks[-2:-1] and looks[-2].behind == 0:
            break
        time.sleep(LOOK_S)
    return looks


def look(world: World, begun: float) -> Look:
    """Return how the stack is now."""
    now = time.monotonic() - begun
    current = state.read(world.home)
    components = current.components if current else {}
    counts = list(asyncio.run(lag(world.settings.broker)).values())
    known = [count for count in counts if count is not None]
    return Look(
        at=now,
        memory={name: _memory(world.processes(name)) for name in (*NAMES, "supervisor")},
        behind=sum(known) if len(known) == len(counts) else None,
        restarts=sum(one.restarts for one in components.values()),
        unwell={name: one.state for name, one in components.items() if not one.good()},
    )


def _memory(processes: Sequence[psutil.Process]) -> float:
    """Return the MiB of processes; what they share counts once (PSS)."""
    result = 0
    for process in processes:
        try:
            result += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return result / MIB


def _rows(world: World, bars: int) -> tuple[dict[str, int], list[str]]:
    rows = {name: int(world.asked(query)[0][0]) for name, query in COUNTS.items()}
    return rows, [f"{name}: {count:,} where {bars:,} were to be" for name, count in rows.items() if count != bars]

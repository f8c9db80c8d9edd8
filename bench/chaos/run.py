"""One run: the ledger goes in while faults come, then everything is compared with a run without faults."""

import asyncio
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.chaos import check, feed
from bench.chaos.crash_points import RARE
from bench.chaos.faults import Fault, offered
from bench.chaos.models import two_versions
from bench.chaos.world import World
from stack.component_table import NAMES
from stack.topic_lag import lag

STEPS = ("prepare", "train", "deploy")
ALL = (*NAMES, *STEPS)
NEEDED = ("kafka", "postgres", "redis", *STEPS, "worker", "persist")
"""What makes the tables: the undisturbed run needs no more."""
STEPS_A_SECOND = 4.0
MINUTE_MS = 60_000
NEAR = 12
"""Minutes of event time, three seconds of the run, that the tables may be behind and count as recovered."""
LONGEST_S, DRAIN_S = 300.0, 600.0
LONGER = 4
"""The ledger is so many times longer than the faults are to take: it ends when they are over."""


@dataclass(kw_only=True)
class Figures:
    """What a run found."""

    seed: int
    minutes: float
    faults: int
    frames: int = 0
    sent_again: int = 0
    done: list[dict[str, object]] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    double_champions: int = 0
    reached: list[str] = field(default_factory=list)
    wanted: tuple[str, ...] = RARE

    def as_json(self) -> dict[str, object]:
        """Return the figures as plain values."""
        return asdict(self)


def run(seed: int, faults: int, minutes: float, folder: Path, only: Sequence[str] = ()) -> Figures:
    """Run with so many faults in so many minutes, or with `only` those; `folder` is for the tables."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    versions, second = two_versions(folder / "models")
    steps = feed.minutes(int(minutes * 60 * STEPS_A_SECOND * LONGER))
    frames = list(feed.together(steps, chance))
    figures = Figures(seed=seed, minutes=minutes, faults=len(only) or faults)
    world = World(ALL, versions)
    try:
        if unknown := set(only) - set(offered(world)):
            raise SystemExit(f"no such fault here: {', '.join(sorted(unknown))}; there are {', '.join(offered(world))}")
        world.start()
        _challenged(world, second)
        source = feed.Feed(
            bootstrap=world.settings.broker, frames=frames, pause_s=len(steps) / len(frames) / STEPS_A_SECOND
        )
        thread = source.start()
        figures.done = _disturb(world, source, thread, chance, figures.faults, minutes, only)
        frames = frames[: source.end(thread)]
        drained(world)
        figures.frames = len(frames)
        figures.sent_again, figures.rows = source.again, check.dump(world.database, folder / "found")
        figures.double_champions = check.double_champions(world)
        figures.reached = sorted(check.reached(world))
    finally:
        world.stop()
    _undisturbed(versions, second, frames, folder / "expected")
    figures.differences = check.differences(folder / "found", folder / "expected")
    return figures


def _disturb(
    world: World,
    source: feed.Feed,
    thread: threading.Thread,
    chance: random.Random,
    faults: int,
    minutes: float,
    only: Sequence[str],
) -> list[dict[str, object]]:
    """Do the faults one after the other, each at a random moment of its share of the time; return what was done."""
    table, done = offered(world), []
    names = list(only) or _chosen(list(table), faults, chance)
    _recovered(world, source)
    begun, share = time.monotonic(), minutes * 60 / len(names)
    for number, name in enumerate(names):
        moment = begun + number * share + chance.uniform(0, share / 4)
        time.sleep(max(0.0, moment - time.monotonic()))
        fault = table[name](world, random.Random(chance.random()))  # noqa: S311 - as above
        seconds = _recovered(world, source)
        done.append(
            {"kind": fault.kind, "whom": fault.whom, "lasted_s": round(fault.seconds, 1), "recovered_s": seconds}
        )
        print(f"{number + 1:>3} {_line(fault)}: recovered after {seconds} s", flush=True)
        if not thread.is_alive():
            break
    return done


def _line(fault: Fault) -> str:
    return f"{fault.kind} {fault.whom}" + (f" for {fault.seconds:.1f} s" if fault.seconds else "")


def _chosen(names: list[str], count: int, chance: random.Random) -> list[str]:
    """Return every fault once where there is room, then any, in a random order."""
    results = [*names, *(chance.choice(names) for _ in range(max(0, count - len(names))))]
    chance.shuffle(results)
    return results[:count]


def _recovered(world: World, source: feed.Feed) -> float:
    """Wait until the tables are near the input again; return the seconds. Raises AssertionError if it takes long.

    What went in only after the fault must be there: nothing can be late while nothing can be sent.
    """
    begun = time.monotonic()
    wanted = source.sent_time
    while time.monotonic() - begun < LONGEST_S:
        newest = world.newest()
        if newest > wanted and newest >= source.sent_time - NEAR * MINUTE_MS and newest > 0:
            return round(time.monotonic() - begun, 1)
        time.sleep(0.2)
    raise AssertionError(f"not recovered after {LONGEST_S:.0f} s: {world.states()}; {world.logged()}")


def drained(world: World, seconds: float = DRAIN_S, universe: bool = False) -> None:
    """Wait until every reader has read everything, several times in a row, and no component is on its way.

    The topics of a `universe` count where one is set. Raises AssertionError if it takes longer.
    """
    last, still, begun = -1, 0, time.monotonic()
    while still < 3:
        behind = asyncio.run(lag(world.settings.broker, universe))
        if time.monotonic() - begun > seconds:
            raise AssertionError(f"still lagging after {seconds:.0f} s: {behind}")
        ((count,),) = world.asked("SELECT count(*) FROM outcome_rows")
        still = still + 1 if count == last and all(one == 0 for one in behind.values()) else 0
        last = count
        time.sleep(2.0)


def _undisturbed(versions: Path, second: str, frames: Sequence[feed.Frame], folder: Path) -> None:
    """Send the same records through a stack without faults, in frames of its own, and write its tables down."""
    world = World(NEEDED, versions)
    try:
        world.start()
        _challenged(world, second)
        source = feed.Feed(bootstrap=world.settings.broker, frames=list(feed.regrouped(frames, 200)))
        source.end(source.start(), all_of_it=True)
        drained(world)
        check.dump(world.database, folder)
    finally:
        world.stop()


def _challenged(world: World, version: str) -> None:
    """Let a second version of gbm predict beside the first, and wait until the worker has it: from the first bar on."""
    world.ledger.decide("gbm", "challenge", version, decided_by="chaos", why="predicts beside the champion")
    begun = time.monotonic()
    while world.asked(check.LOADED, version) == [(0,)]:
        if time.monotonic() - begun > LONGEST_S:
            raise AssertionError(f"version {version} of gbm is not loaded after {LONGEST_S:.0f} s")
        time.sleep(0.2)

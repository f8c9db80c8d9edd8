"""Everything that can go wrong, each as a function that breaks the world, waits, and mends it."""

import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from bench.chaos.crash_points import ARMED, HELD, POINTS, REACHED, REBALANCE
from bench.chaos.world import World
from models.serving.deployment import Action

OURS = ("worker", "persist", "watch", "trainer", "alerts", "dashboard", "api", "mlflow")
SERVERS = ("kafka", "postgres", "redis")
ALONE = ("several", "supervisor killed", "worker joined in a recovery")
"""Faults that are not done beside others."""
POINT_WAIT_S = 20.0
RECOVERY_S, JOINED_S = 60.0, 12.0
"""How long it is tried to meet a recovery, and how long the workers that joined run at each attempt."""


@dataclass(frozen=True)
class Fault:
    """What was done: the kind, to whom, and how long it lasted in seconds until it was mended."""

    kind: str
    whom: str
    seconds: float


Doing = Callable[[World, random.Random], Fault]


def kill(names: tuple[str, ...]) -> Doing:
    """SIGKILL of a component; the supervisor starts it again."""

    def do(world: World, chance: random.Random) -> Fault:
        name = chance.choice([one for one in names if world.processes(one)] or list(names))
        world.signal(name, signal.SIGKILL)
        return Fault("SIGKILL", name, 0.0)

    return do


def pause(names: tuple[str, ...], longest_s: float = 25.0) -> Doing:
    """SIGSTOP of a component for a while, then SIGCONT."""

    def do(world: World, chance: random.Random) -> Fault:
        name, seconds = chance.choice(names), chance.uniform(3.0, longest_s)
        if world.signal(name, signal.SIGSTOP):
            time.sleep(seconds)
            world.signal(name, signal.SIGCONT)
        return Fault("SIGSTOP", name, seconds)

    return do


def supervisor_killed(world: World, chance: random.Random) -> Fault:  # noqa: ARG001 - as every fault
    """SIGKILL of the supervisor, with which all components go; it is started again by hand."""
    world.signal("supervisor", signal.SIGKILL)
    world.revive()
    return Fault("SIGKILL", "supervisor", 0.0)


def unreachable(name: str, seconds: float) -> Doing:
    """A server at whose port nobody listens."""

    def do(world: World, chance: random.Random) -> Fault:  # noqa: ARG001 - as every fault
        world.proxies[name].refuse()
        time.sleep(seconds)
        world.proxies[name].accept()
        return Fault("unreachable", name, seconds)

    return do


def half_open(world: World, chance: random.Random) -> Fault:
    """Connections that stay and carry nothing."""
    name, seconds = chance.choice(SERVERS), chance.uniform(5.0, 20.0)
    world.proxies[name].freeze()
    time.sleep(seconds)
    world.proxies[name].thaw()
    return Fault("half-open", name, seconds)


def resets(world: World, chance: random.Random) -> Fault:
    """All connections end with RST, several times."""
    name, times = chance.choice(SERVERS), chance.randint(2, 6)
    for _ in range(times):
        world.proxies[name].reset()
        time.sleep(0.5)
    return Fault("reset", name, times * 0.5)


def slow(world: World, chance: random.Random) -> Fault:
    """A network of high latency or little bandwidth."""
    name, seconds = chance.choice(SERVERS), chance.uniform(8.0, 15.0)
    proxy = world.proxies[name]
    kind = chance.choice(("latency", "bandwidth"))
    if kind == "latency":
        proxy.latency_s = 0.2
    else:
        proxy.bytes_per_s = 200_000.0
    time.sleep(seconds)
    proxy.latency_s, proxy.bytes_per_s = 0.0, 0.0
    return Fault(kind, name, seconds)


def at_a_point(name: str) -> Doing:
    """A worker or persist that dies between two steps of its work."""

    def do(world: World, chance: random.Random) -> Fault:  # noqa: ARG001 - as every fault
        armed = world.home / ARMED
        armed.write_text(name)
        begun = time.monotonic()
        while armed.exists() and time.monotonic() - begun < POINT_WAIT_S:
            time.sleep(0.1)
        with suppress(FileNotFoundError):
            armed.unlink()
        return Fault("killed after", name, 0.0)

    return do


def disk_full(world: World, chance: random.Random) -> Fault:
    """No room on the disk of the home."""
    seconds = chance.uniform(8.0, 20.0)
    stuffing = world.home / "stuffing"
    room = os.statvfs(world.home)
    with stuffing.open("wb") as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize)
    time.sleep(seconds)
    stuffing.unlink()
    return Fault("disk full", "home", seconds)


def wrong_clock(world: World, chance: random.Random) -> Fault:
    """A component whose clock is an hour or a day ahead or behind."""
    name, seconds = chance.choice(("worker", "persist")), chance.uniform(5.0, 12.0)
    assert world.clock is not None  # noqa: S101 - for mypy: only offered where there is one
    file = world.clock / name
    file.write_text(chance.choice(("3600", "-3600", "86400", "-86400")))
    time.sleep(seconds)
    file.write_text("0")
    return Fault("wrong clock", name, seconds)


def joined(world: World, chance: random.Random) -> Fault:
    """A second worker joins, and leaves or is killed."""
    seconds = chance.uniform(6.0, 20.0)
    world.join()
    time.sleep(seconds)
    if chance.random() < 0.5:
        world.signal("worker", signal.SIGKILL)  # in the middle of what the other's coming or going sets off
    number = chance.choice((signal.SIGTERM, signal.SIGKILL))
    world.leave(number)
    return Fault("worker joined and left by", number.name, seconds)


def joined_in_recovery(world: World, chance: random.Random) -> Fault:
    """Two workers come one after the other while recoveries take long: who reads states back has to begin again."""
    begun = time.monotonic()
    reached, held = world.home / REACHED, world.home / HELD
    held.touch()
    while time.monotonic() - begun < RECOVERY_S and REBALANCE not in (reached.read_text() if reached.exists() else ""):
        world.join()
        time.sleep(chance.uniform(1.0, 3.0))
        world.join()
        time.sleep(JOINED_S)
        world.leave(signal.SIGKILL)
        world.leave(signal.SIGTERM)
    held.unlink()
    return Fault("joined in a recovery", "worker", time.monotonic() - begun)


def rolled_back(world: World, chance: random.Random) -> Fault:  # noqa: ARG001 - as every fault
    """The other version of gbm takes the champion's place, and is taken back, while bars come."""
    now = world.ledger.latest()["gbm"]
    other = next(version for version in (*now.challengers, now.standby) if version is not None)
    steps: tuple[tuple[Action, str | None], ...] = (("promote", other), ("rollback", None))
    for action, version in steps:
        world.ledger.decide("gbm", action, version, decided_by="chaos", why="a fault of its own", force=True)
        time.sleep(3.0)
    return Fault("promoted and rolled back", "gbm", 6.0)


def several(world: World, chance: random.Random) -> Fault:
    """Two or three of the others at once."""
    table = offered(world)
    names = chance.sample([name for name in table if name not in ALONE], chance.choice((2, 3)))
    with ThreadPoolExecutor(len(names)) as pool:
        done = list(pool.map(lambda name: table[name](world, random.Random(chance.random())), names))  # noqa: S311 - no secret
    whom = ", ".join(f"{one.kind} {one.whom}" for one in done)
    return Fault(f"{len(done)} at once", whom, max(one.seconds for one in done))


def offered(world: World) -> Mapping[str, Doing]:
    """Return the faults that this machine allows, by name."""
    table: dict[str, Doing] = {
        "worker killed": kill(("worker",)),
        "persist killed": kill(("persist",)),
        "server killed": kill(SERVERS),
        "component killed": kill(OURS),
        "component stopped": pause((*OURS, *SERVERS)),
        "supervisor killed": supervisor_killed,
        "broker unreachable": unreachable("kafka", 60.0),
        "database unreachable": unreachable("postgres", 30.0),
        "cache unreachable": unreachable("redis", 15.0),
        "half-open": half_open,
        "reset": resets,
        "slow": slow,
        **{f"killed after {name}": at_a_point(name) for name in POINTS},
        "worker joined": joined,
        "worker joined in a recovery": joined_in_recovery,
        "rollback": rolled_back,
        "several": several,
    }
    if world.small_disk:
        table["disk full"] = disk_full
    if world.clock is not None:
        table["wrong clock"] = wrong_clock
    return table

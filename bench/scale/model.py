"""What 1, 10 and 100 machines carry, and what breaks first: on paper, from what one machine was measured to need."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from settings import Settings
from topics.catalog import TICKS

BUSY = 0.7
"""The part of the cores and of the memory that may be in use: the rest is for bursts and for what is not measured."""
DAY_S = 86_400


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine: its cores, and its memory in GiB."""

    cores: int
    memory_gib: float


@dataclass(frozen=True, kw_only=True)
class Need:
    """What one symbol needs: cores by component, MiB of a worker's memory, bytes of disk a day by server.

    `idle_cores` is what all components use together without any symbol.
    """

    idle_cores: float
    cores: Mapping[str, float]
    worker_mib: float
    disk_bytes_a_day: Mapping[str, float]


def need(run: Mapping[str, Any], ticks_a_minute: float) -> Need:
    """Return a symbol's need at one bar and so many ticks a minute, from a run's figures."""
    tick, bar = run["cpu_microseconds_per_tick"], run["cpu_microseconds_per_bar"]
    return Need(
        idle_cores=sum(run["idle_cores"].values()),
        cores={name: (tick[name] * ticks_a_minute + bar[name]) / 60e6 for name in bar},
        worker_mib=max(0.0, (run["worker_mib"] - run["worker_mib_without_symbols"]) / run["symbols"]),
        disk_bytes_a_day={name: value * DAY_S / 60 for name, value in run["disk_bytes_per_bar"].items()},
    )


def limits(one: Need, machine: Machine, machines: int) -> dict[str, int]:
    """Return by limit how many symbols there may be on so many machines, the smallest first."""
    partitions = TICKS.partitions
    cores = BUSY * machine.cores
    processes = min(partitions, machines * machine.cores)
    found = {
        "cores of all machines": _many(cores * machines - one.idle_cores, sum(one.cores.values())),
        f"workers, one core for each of {partitions} partitions": _many(BUSY * processes, one.cores["worker"]),
        f"persist, one core for each of {partitions} partitions": _many(BUSY * processes, one.cores["persist"]),
        "PostgreSQL, one machine": _many(cores, one.cores["postgres"]),
        f"Kafka, a machine for each of {partitions} partitions": _many(
            cores * min(machines, partitions), one.cores["kafka"]
        ),
        "memory of the workers": _many(BUSY * machine.memory_gib * 1024 * min(machines, partitions), one.worker_mib),
        "FORETICK_MAX_SYMBOLS of each worker": Settings.model_fields["max_symbols"].default * processes,
    }
    known = {name: value for name, value in found.items() if value is not None}
    return dict(sorted(known.items(), key=lambda item: item[1]))


def _many(there_is: float, needed: float) -> int | None:
    """Return how many fit; None if the need is too small to have been measured."""
    return max(0, int(there_is / needed)) if needed > 0 else None


def model(
    run: Mapping[str, Any], machine: Machine, ticks_a_minute: float, counts: tuple[int, ...] = (1, 10, 100)
) -> dict[str, Any]:
    """Return for each number of machines what they carry, what breaks first, and what would be next."""
    one = need(run, ticks_a_minute)
    results: dict[str, Any] = {}
    for count in counts:
        bounds = limits(one, machine, count)
        first, symbols = next(iter(bounds.items()))
        results[f"{count} machines" if count > 1 else "1 machine"] = {
            "symbols": symbols,
            "ticks_per_second": round(symbols * ticks_a_minute / 60),
            "breaks_first": first,
            "limits_in_symbols": bounds,
            "disk_gib_a_day": {name: round(value * symbols / 2**30, 2) for name, value in one.disk_bytes_a_day.items()},
        }
    return results


def _names(models: str | list[str]) -> str:
    return models if isinstance(models, str) else ", ".join(models)


def assumptions(run: Mapping[str, Any], machine: Machine, ticks_a_minute: float) -> list[str]:
    """Return in words what the model takes for granted."""
    return [
        f"a machine is the one of the measurement: {machine.cores} cores, {machine.memory_gib:.0f} GiB, of which "
        f"{BUSY:.0%} may be in use",
        f"a symbol has a bar and {ticks_a_minute:g} ticks a minute, each a Kafka record",
        f"costs are those of a backlog with {run['symbols']} symbols and {run['workers']} worker, everything stored, "
        f"models: {_names(run['models'])}",
        "a live stage takes smaller batches than a backlog has: it needs more for a bar, up to what the rates show",
        f"topics have {TICKS.partitions} partitions, and a worker and a persist is one core: more than that are idle",
        "PostgreSQL and Redis are one server each; Kafka may have a broker on as many machines as there are partitions",
        "otherwise work is divided freely, in proportion, and the network, the disks' speed and replicas of Kafka cost "
        "nothing; the trainer, the watcher, the alerts, the dashboard and the API are not counted",
    ]

"""One stack with so many workers and symbols: what it carries, how late it is at a rate, and what it holds."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.latency import Live, UnansweredError, quantiles
from bench.scale.stack import START, Part, WorkedStack, send, worked
from bench.scale.states import state_bytes

Figures = dict[str, Any]
WARM_S = 5.0
IDLE_S = 10.0
MOST_TRADES = 10
"""Ticks a minute of the second backlog; the first has one. From both follows what a tick costs, and what a bar."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured: each number of workers with each of symbols; a backlog of so many bars, then each rate.

    `models`: those that serve, the default ones if there is none.
    """

    workers: tuple[int, ...] = (1, 2, 4)
    symbols: tuple[int, ...] = (20, 100, 500)
    rates: tuple[float, ...] = (1, 10, 100, 1_000, 10_000)
    bars: int = 60_000
    seconds: float = 20.0
    models: tuple[str, ...] = ()


def measured(workers: int, symbols: int, plan: Plan) -> Figures:
    """Return the figures of a stack of its own."""
    names = tuple(f"S{number:03d}USDT" for number in range(symbols))
    with worked(workers, plan.models) as stack:
        empty_mib, empty = stack.worker_mib(), stack.stored_bytes()
        idle = _cores(stack, IDLE_S)
        minutes = max(2, plan.bars // symbols)
        fewer = max(2, minutes * 3 // MOST_TRADES)
        one, first = _backlog(stack, names, Part(first=0, minutes=minutes, trades=1), idle)
        more, first = _backlog(stack, names, Part(first=first, minutes=fewer, trades=MOST_TRADES), idle)
        full = stack.stored_bytes()
        bars = one["bars"] + more["bars"]
        figures = {
            "workers": workers,
            "symbols": symbols,
            "models": list(plan.models) or "default",
            "idle_cores": idle,
            "one_tick_a_bar": one,
            f"{MOST_TRADES}_ticks_a_bar": more,
            **_costs(one, more),
            "disk_bytes_per_bar": {name: round((full[name] - empty[name]) / bars) for name in full},
            "worker_mib_without_symbols": round(empty_mib),
            "worker_mib": round(stack.worker_mib()),
            "state_bytes": asyncio.run(state_bytes(stack.kafka)),
        }
        return figures | {"rates": _rates(stack, names, first, plan)}


def _cores(stack: WorkedStack, seconds: float) -> dict[str, float]:
    """Return how many cores each component uses while nothing is sent."""
    before = stack.cpu_seconds()
    time.sleep(seconds)
    return {name: round((used - before.get(name, 0.0)) / seconds, 3) for name, used in stack.cpu_seconds().items()}


def _backlog(stack: WorkedStack, names: tuple[str, ...], part: Part, idle: Mapping[str, float]) -> tuple[Figures, int]:
    """Send minutes of all symbols at once and wait until all is stored; return the figures and the next minute.

    The CPU is what is used above that of the idle stack.
    """
    before, bars, begun = stack.cpu_seconds(), stack.bars(), time.monotonic()
    asyncio.run(send(stack.kafka, names, part))
    stack.drain()
    seconds, after = time.monotonic() - begun, stack.cpu_seconds()
    made, ticks = stack.bars() - bars, part.minutes * part.trades * len(names)
    used = {name: after[name] - before.get(name, 0.0) - idle.get(name, 0.0) * seconds for name in after}
    figures = {
        "ticks": ticks,
        "bars": made,
        "ticks_per_second": round(ticks / seconds),
        "bars_per_second": round(made / seconds),
        "cpu_seconds": {name: max(0.0, round(value, 2)) for name, value in used.items()},
    }
    return figures, part.first + part.minutes


def _costs(one: Figures, more: Figures) -> dict[str, dict[str, float]]:
    """Return the CPU microseconds of a tick and of a bar, by component, from two backlogs.

    One equation for each: CPU is ticks times the one and bars times the other. What comes out below 0 is noise: 0.
    """
    costs: dict[str, dict[str, float]] = {"tick": {}, "bar": {}}
    area = one["ticks"] * more["bars"] - more["ticks"] * one["bars"]
    for name, used in one["cpu_seconds"].items():
        other = more["cpu_seconds"][name]
        costs["tick"][name] = max(0.0, round((used * more["bars"] - other * one["bars"]) / area * 1e6, 1))
        costs["bar"][name] = max(0.0, round((other * one["ticks"] - used * more["ticks"]) / area * 1e6, 1))
    return {f"cpu_microseconds_per_{name}": values for name, values in costs.items()}


def _rates(stack: WorkedStack, names: tuple[str, ...], first: int, plan: Plan) -> dict[str, Figures]:
    """Return the latency at each rate of single ticks, up to the first at which the stack falls behind."""
    results: dict[str, Figures] = {}
    live = Live(kafka=stack.kafka, symbols=names, start=START, minute=first)
    for rate in plan.rates:
        # At a low rate only some symbols trade: a bar is complete with the tick after it, which is to come in time.
        live.symbols = names[: max(1, int(rate * plan.seconds / 3))]
        live.trades = max(1, round(rate / len(live.symbols)))
        live.minute_s = live.trades * len(live.symbols) / rate
        try:
            asyncio.run(live.run(min(WARM_S, plan.seconds)))
            before, begun = stack.cpu_seconds(), time.monotonic()
            took = asyncio.run(live.run(plan.seconds))
        except UnansweredError as error:
            results[f"{rate:g}"] = {"falls_behind": str(error)}
            break
        seconds, after = time.monotonic() - begun, stack.cpu_seconds()
        results[f"{rate:g}"] = {
            "symbols_that_trade": len(live.symbols),
            "bars_per_second": round(len(live.symbols) / live.minute_s, 2),
            "bars_timed": len(took),
            **(quantiles(took) if took else {}),
            "cores": {name: round((after[name] - before.get(name, 0.0)) / seconds, 2) for name in after},
        }
    return results

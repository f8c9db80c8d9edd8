"""One stack with so many workers and symbols: what it carries, how late it is at a rate, and what it holds."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from bench.latency import Live, UnansweredError, quantiles
from bench.scale.stack import START, WorkedStack, send, worked
from bench.scale.states import state_bytes

Figures = dict[str, Any]
WARM_S = 5.0
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
        minutes = max(2, plan.bars // symbols)
        one, first = _backlog(stack, names, 0, minutes, 1)
        more, first = _backlog(stack, names, first, max(2, minutes // MOST_TRADES * 3), MOST_TRADES)
        full = stack.stored_bytes()
        bars = one["bars"] + more["bars"]
        figures = {
            "workers": workers,
            "symbols": symbols,
            "one_tick_a_bar": one,
            f"{MOST_TRADES}_ticks_a_bar": more,
            **_costs(one, more),
            "disk_bytes_per_bar": {name: round((full[name] - empty[name]) / bars) for name in full},
            "worker_mib_without_symbols": round(empty_mib),
            "worker_mib": round(stack.worker_mib()),
            "state_bytes": asyncio.run(state_bytes(stack.kafka)),
        }
        return figures | {"rates": _rates(stack, names, first, plan)}


def _backlog(stack: WorkedStack, names: tuple[str, ...], first: int, minutes: int, trades: int) -> tuple[Figures, int]:
    """Send minutes of all symbols at once and wait until all is stored; return the figures and the next minute."""
    before, bars, begun = stack.cpu_seconds(), stack.bars(), time.monotonic()
    asyncio.run(send(stack.kafka, names, first, minutes, trades))
    stack.drain()
    seconds, after = time.monotonic() - begun, stack.cpu_seconds()
    made, ticks = stack.bars() - bars, minutes * trades * len(names)
    figures = {
        "ticks": ticks,
        "bars": made,
        "ticks_per_second": round(ticks / seconds),
        "bars_per_second": round(made / seconds),
        "cpu_seconds": {name: round(after[name] - before.get(name, 0.0), 2) for name in after},
    }
    return figures, first + minutes


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
        live.trades = max(1, round(rate / len(names)))
        live.minute_s = live.trades * len(names) / rate
        try:
            asyncio.run(live.run(min(WARM_S, plan.seconds)))
            took = asyncio.run(live.run(plan.seconds))
        except UnansweredError as error:
            results[f"{rate:g}"] = {"falls_behind": str(error)}
            break
        if not took:
            continue  # so few ticks that no bar was complete in time
        bars = 1 / live.minute_s * len(names)
        results[f"{rate:g}"] = {"bars_per_second": round(bars, 2), "bars_timed": len(took), **quantiles(took)}
    return results

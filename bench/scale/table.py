"""The tables of docs/measured.md for `bench.scale`: what was measured, how it grows, and what machines carry."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

COMPONENTS = ("worker", "persist", "postgres", "kafka")


def tables(figures: Mapping[str, Any]) -> str:
    """Return the tables, the verdict and the assumptions."""
    runs = figures["runs"]
    rates = list(dict.fromkeys(rate for run in runs for rate in run["rates"]))
    per_symbol = figures["per_symbol"]
    states = ", ".join(f"{name} {value:,}" for name, value in per_symbol["state_bytes"].items())
    parts = [
        _table(
            ("workers", "symbols", "bars/s", "ticks/s at ten a bar", *(f"{name}, µs CPU a bar" for name in COMPONENTS)),
            (_carried(run) for run in runs),
        ),
        _table(
            ("workers", "symbols", "workers' MiB", "states' KiB", *(f"p50, p99 in ms at {rate}/s" for rate in rates)),
            (_held(run, rates) for run in runs),
        ),
        f"A symbol: {per_symbol['worker_kib']:,} KiB of a worker's memory; bytes of state: {states}.\n",
        _table(
            ("grows with the symbols", "exponent", "steepest"),
            ((name, one["exponent"], one["steepest"]) for name, one in figures["growth_with_symbols"].items()),
        ),
        f"So {figures['verdict']}. What such machines would carry, by the model:\n",
        _table(
            ("machines", "symbols", "ticks/s", "breaks first", "next"),
            (_modelled(name, one) for name, one in figures["model"].items()),
        ),
        "It takes for granted:\n" + "".join(f"- {text}\n" for text in figures["assumptions"]),
    ]
    return "\n".join(parts)


def _carried(run: Mapping[str, Any]) -> list[object]:
    one, more = (run[name] for name in run if name.endswith("_a_bar") and "ticks_per_second" in run[name])
    costs = run["cpu_microseconds_per_bar"]
    return [run["workers"], run["symbols"], one["bars_per_second"], more["ticks_per_second"], *_of(costs)]


def _of(costs: Mapping[str, float]) -> list[float]:
    return [round(costs[name]) for name in COMPONENTS]


def _held(run: Mapping[str, Any], rates: Sequence[str]) -> list[object]:
    kib = round(sum(run["state_bytes"].values()) / 1024)
    return [run["workers"], run["symbols"], run["worker_mib"], kib, *(_late(run["rates"].get(rate)) for rate in rates)]


def _late(one: Mapping[str, Any] | None) -> str:
    if one is None or one.get("bars_timed") == 0:
        return "-"
    return "falls behind" if "falls_behind" in one else f"{one['p50']:,}, {one['p99']:,}"


def _modelled(name: str, one: Mapping[str, Any]) -> list[object]:
    others = list(one["limits_in_symbols"].items())[1:2]
    following = ", ".join(f"{limit}: {count:,}" for limit, count in others) or "-"
    return [name, one["symbols"], one["ticks_per_second"], one["breaks_first"], following]


def _table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [head, ["---"] * len(head), *([_cell(one) for one in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)

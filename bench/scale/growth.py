"""How what is used grows with the number of symbols: the exponent, 1 if in proportion, 2 if quadratic."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log
from typing import Any

QUADRATIC = 1.5
"""From here on something is nearer to quadratic than to linear."""
LEAST_S = 1.0
"""The CPU seconds in each run from which on a component's CPU can be told from noise."""


def exponent(symbols: Sequence[int], used: Sequence[float]) -> float | None:
    """Return the slope of the logarithms by least squares; None if there are not two sizes at which any is used."""
    points = [(log(count), log(value)) for count, value in zip(symbols, used, strict=True) if value > 0]
    if len({x for x, _ in points}) < 2:
        return None
    mean_x, mean_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


def steepest(symbols: Sequence[int], used: Sequence[float]) -> float | None:
    """Return the largest exponent between two neighbouring sizes: fixed costs hide it where there are few symbols."""
    sizes = sorted(zip(symbols, used, strict=True))
    slopes = [exponent((low, high), (few, many)) for (low, few), (high, many) in pairwise(sizes)]
    return max((one for one in slopes if one is not None), default=None)


def growth(runs: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return by what is used the exponent and the steepest one, of runs with one number of workers.

    CPU is that of a bar of each symbol: a bar's times the symbols, for the components that used enough of it.
    """
    symbols = [run["symbols"] for run in runs]
    used: dict[str, list[float]] = {
        "worker memory": [run["worker_mib"] - run["worker_mib_without_symbols"] for run in runs],
        "states": [sum(run["state_bytes"].values()) for run in runs],
    }
    for name in runs[0]["one_tick_a_bar"]["cpu_seconds"]:
        seconds = [run["one_tick_a_bar"]["cpu_seconds"][name] for run in runs]
        if min(seconds) >= LEAST_S:
            bars = [run["one_tick_a_bar"]["bars"] for run in runs]
            rows = zip(seconds, bars, symbols, strict=True)
            used[f"{name} CPU"] = [value / made * count for value, made, count in rows]
    found = {name: (exponent(symbols, values), steepest(symbols, values)) for name, values in used.items()}
    return {
        name: {"exponent": round(one, 2), "steepest": round(most, 2)}
        for name, (one, most) in found.items()
        if one is not None and most is not None
    }


def verdict(exponents: Mapping[str, Mapping[str, float]]) -> str:
    """Return in words what grows too fast."""
    steep = [name for name, one in exponents.items() if max(one.values()) >= QUADRATIC]
    return f"nearer to quadratic than to linear: {', '.join(steep)}" if steep else "nothing is quadratic"

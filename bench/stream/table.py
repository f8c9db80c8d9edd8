"""The tables of docs/measured.md for `bench.stream`: throughput and what is wrong, then latency."""

from collections.abc import Mapping
from typing import Any

SINGLE, FRAMED = "single", "framed"
LATE_S = 1.0
"""An engine that has still so much to do when the last tick has been sent cannot hold the rate."""
HEAD = (
    *("engine", "package", "rows/s", "CPU s per 100,000", "in frames, rows/s", "CPU s per 100,000"),
    *("broker's CPU s per 100,000", "peak MiB", "twice", "wrong", "missing"),
)


def tables(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """Return both tables; an engine that could not be measured has its reason in its row."""
    measured = {name: one for name, one in figures.items() if "not_measured" not in one}
    lines = [_line(HEAD), _rule(len(HEAD))]
    for name, one in figures.items():
        cells = _fast(one) if name in measured else [f"not measured: {_plain(one['not_measured'])}"]
        lines.append(_line([name, one["version"], *cells, *[""] * (len(HEAD) - 2 - len(cells))]))
    rates = list(dict.fromkeys(load for one in measured.values() for load in one if load.endswith("/s")))
    if rates:
        lines += ["", _line(["p50, p99, p99.9 in ms", *(f"{rate[:-2]} ticks/s" for rate in rates)])]
        lines.append(_rule(len(rates) + 1))
        lines += [_line([name, *(_late(one[rate]) for rate in rates)]) for name, one in measured.items()]
    return "\n".join(lines) + "\n"


def _fast(one: Mapping[str, Any]) -> list[str]:
    cells = []
    for load in (SINGLE, FRAMED):
        found = one.get(load)
        cells += [f"{found['rows_per_second']:,.0f}", f"{found['cpu_seconds_per_100000']:.2f}"] if found else ["-", "-"]
    broker = f"{one[SINGLE]['broker_cpu_seconds_per_100000']:.2f}"
    return [*cells, broker, *(f"{one[name]:,.0f}" for name in ("peak_memory_mib", "duplicates", "wrong", "missing"))]


def _late(one: Mapping[str, Any]) -> str:
    if one["seconds_behind_at_the_end"] >= LATE_S:
        return f"cannot hold it: {one['seconds_behind_at_the_end']:.1f} s behind at the end"
    return ", ".join(f"{one[f'p{level}_ms']:.1f}" for level in ("50", "99", "99.9"))


def _line(cells: "list[str] | tuple[str, ...]") -> str:
    return f"| {' | '.join(cells)} |"


def _rule(count: int) -> str:
    return "|" + "---|" * count


def _plain(text: str) -> str:
    """Return a text as a cell: without what would end it."""
    return " ".join(text.split()).replace("|", "/")

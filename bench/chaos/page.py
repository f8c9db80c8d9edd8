"""Generates docs/reliability.md from the last long runs: `python -m bench.chaos.page`."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from settings import ROOT

RESULTS = ROOT / "bench" / "results" / "chaos"
PAGE = ROOT / "docs" / "reliability.md"
GOALS = {"SIGKILL worker": 10.0, "unreachable kafka": 30.0, "unreachable postgres": 30.0}
"""Seconds within which the stack must recover from these faults."""
HEAD = """# Reliability: fault injection and recovery times

Written by `python -m bench.chaos.page` from the files in bench/results/chaos, which the runs below write with `--save`;
a test compares them. The machines are shared and noisy: each figure is from one run, on the machine given with it.
"""
CHAOS = """
Every component of `./foretick up` runs. Real minutes are sent, as bars and as trades, while faults are injected at
random times; then every row of every table must equal that of a run without faults on the same input. The stack has
recovered when the newest stored prediction is as close to the newest input as before; the seconds count from the end of
the fault (a kill: from the kill).
"""
QUIET = """
The same suite with few faults, one after the other, to measure the recovery times.
"""
SOAK = """
`foretick replay` feeds the default stack at five times the sample's rate, with retraining and promotion on, an open
page and a reader of the API's stream; in the middle the database is slow (each block of bytes is delayed, at a low
rate).
"""
FUZZ = """
Invalid records of every kind that bench/fuzz can make are sent to every topic as the stack's own user, together with
real minutes of two symbols. No process may end, no component may be unhealthy, and nothing impossible may be stored;
the rows of the two symbols must equal those of a run without the others, and each invalid record must be a dead letter.
"""


def page(values: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page of the runs, by the name of their file."""
    lines = [HEAD]
    for name, (title, text, write) in SECTIONS.items():
        if name in values:
            run = values[name]
            lines += [f"\n## {title}\n{text}\n`{run['command']}` at commit {run['commit']}: {run['machine']}.\n\n"]
            lines += write(run["figures"])
    return "".join(lines)


def _chaos(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"Seed {figures['seed']}, {figures['minutes']:g} minutes, {figures['faults']} faults. "
    yield f"Rows equal: {'yes' if not figures['differences'] else 'NO'}. "
    yield f"Frames in: {figures['frames']:,}; sent again, unconfirmed: {figures['sent_again']}.\n\n"
    wrong = {line.partition(":")[0]: line.split()[1] for line in figures["differences"]}
    yield from _table(
        ("table", "rows", "differ"),
        ((table, f"{count:,}", wrong.get(table, 0)) for table, count in figures["rows"].items()),
    )
    yield "\n"
    yield from _recovery(figures["done"])
    yield "\nRare states that the run reached:\n\n"
    yield from (f"- {name}: {'yes' if name in figures['reached'] else 'NO'}\n" for name in figures["wanted"])


def _quiet(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"Rows equal: {'yes' if not figures['differences'] else 'NO'}.\n\n"
    yield from _recovery(figures["done"])


def _recovery(done: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    grouped: defaultdict[str, list[float]] = defaultdict(list)
    for one in done:
        whom = "" if one["kind"].endswith("at once") else f" {one['whom']}"
        grouped[f"{one['kind']}{whom}"].append(one["recovered_s"])
    yield from _table(
        ("fault", "times", "seconds, median", "longest", "goal"),
        (
            (kind, len(seconds), f"{median(seconds):.1f}", f"{max(seconds):.1f}", _goal(kind, seconds))
            for kind, seconds in sorted(grouped.items())
        ),
    )


def _goal(kind: str, seconds: Sequence[float]) -> str:
    goal = GOALS.get(kind)
    return "" if goal is None else f"{goal:g}: {'met' if max(seconds) <= goal else 'NOT met'}"


def _soak(figures: Mapping[str, Any]) -> Iterator[str]:
    rows = ", ".join(f"{name} {count:,}" for name, count in figures["rows"].items())
    worked_off = figures["worked_off_s"]
    yield f"{figures['minutes']:g} minutes at {figures['pace']}; the database was slow from second "
    yield f"{figures['slow_from_s']:.0f} to {figures['slow_until_s']:.0f}. Rows: {rows}. "
    yield f"Trainings: {figures['trainings']}. Restarts: {figures['restarts']}. "
    yield f"Largest consumer lag, while it was slow: {figures['lag_most_while_slow']:,} Kafka records; caught up "
    yield "NEVER.\n\n" if worked_off is None else f"{worked_off:g} s after it had recovered.\n\n"
    quarters = ("quarter 1", "2", "3", "4")
    yield from _table(
        ("memory (PSS), MiB, median", *quarters),
        ((name, *(f"{value:.0f}" for value in values)) for name, values in figures["memory"].items()),
    )
    yield "\n"
    yield from _table(
        ("consumer lag, Kafka records", *quarters),
        (("median", *(f"{n:,.0f}" for n in figures["lag_median"])), ("most", *(f"{n:,}" for n in figures["lag_most"]))),
    )
    yield "\nExpected errors in the logs:\n\n"
    yield from (f"- {count}: {line}\n" for line, count in figures["explained"].items())
    yield from _findings(figures["findings"])


def _fuzz(figures: Mapping[str, Any]) -> Iterator[str]:
    sent = sum(figures["sent"].values())
    yield f"Seed {figures['seed']}, {figures['minutes']:g} minutes: {sent:,} records, "
    yield f"{figures['records_a_second']:g} a second, {figures['invalid']:,} of them invalid; "
    yield f"{sum(figures['letters'].values()):,} dead letters with {figures['reasons']} reasons; "
    yield f"{figures['corpus']} inputs are kept in tests/fuzz/corpus.\n\n"
    yield from _table(("topic", "records sent"), ((name, f"{n:,}") for name, n in sorted(figures["sent"].items())))
    yield "\n"
    yield from _table(
        ("table", "rows of the two symbols"), ((name, f"{n:,}") for name, n in figures["compared"].items())
    )
    silent = [f"{name}: {count} without a dead letter" for name, count in figures["without_letter"].items()]
    yield from _findings([*figures["violations"], *figures["differences"], *silent])


def _findings(lines: Sequence[str]) -> Iterator[str]:
    yield f"\nViolations: {'none' if not lines else ''}\n"
    yield from (f"\n- {line.splitlines()[0]}" for line in lines)
    yield "\n" if lines else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |\n|---|{'---:|' * (len(head) - 1)}\n"
    yield from (f"| {' | '.join(map(str, row))} |\n" for row in rows)


Section = tuple[str, str, Callable[[Mapping[str, Any]], Iterator[str]]]
SECTIONS: Mapping[str, Section] = {
    "run": ("Half an hour of faults", CHAOS, _chaos),
    "recovery": ("Recovery times", QUIET, _quiet),
    "soak": ("Two hours at a steady rate", SOAK, _soak),
    "fuzz": ("An hour of invalid records", FUZZ, _fuzz),
}


def saved() -> dict[str, Any]:
    """Return the runs that are kept, by the name of their file."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))}


if __name__ == "__main__":
    PAGE.write_text(page(saved()))

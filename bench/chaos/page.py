"""docs/reliability.md, made of the last long run: `python -m bench.chaos.page`."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from settings import ROOT

RESULT = ROOT / "bench" / "results" / "chaos" / "run.json"
PAGE = ROOT / "docs" / "reliability.md"
HEAD = """# What happens when something breaks

Written by `python -m bench.chaos.page` from bench/results/chaos/run.json, which `python -m bench.chaos --save` writes;
a test compares. The run has every component of `./foretick up` on, and sends real minutes, as bars and as trades,
through it while faults come at random moments. Then every row of every table must be the one that a run without faults
has made of the same input. A fault is over when the newest prediction stored is again as near to the newest input as
before it; what is told is how long that took from when the fault was mended (a kill: from the kill).
"""


def page(found: Mapping[str, Any]) -> str:
    """Return the page of a run."""
    figures = found["figures"]
    lines = [
        HEAD,
        f"\n`{found['command']}` at commit {found['commit']}: {found['machine']}.\n",
        f"\nSeed {figures['seed']}, {figures['minutes']} minutes, {figures['faults']} faults. ",
        f"Rows equal: {'yes' if not figures['differences'] else 'no'}. ",
        f"Frames in: {figures['frames']:,}; sent again, unconfirmed: {figures['sent_again']}.\n",
        "\n| table | rows | differ |\n|---|---:|---:|\n",
    ]
    wrong = {line.partition(":")[0]: line.split()[1] for line in figures["differences"]}
    lines += [f"| {table} | {count:,} | {wrong.get(table, 0)} |\n" for table, count in figures["rows"].items()]
    lines += ["\n## Recovery\n\n| fault | times | seconds, median | longest |\n|---|---:|---:|---:|\n"]
    lines += [
        f"| {kind} | {len(seconds)} | {median(seconds):.1f} | {max(seconds):.1f} |\n"
        for kind, seconds in sorted(_grouped(figures["done"]).items())
    ]
    lines += ["\n## Rare states that the run went through\n\n"]
    lines += [f"- {name}: {'yes' if name in figures['reached'] else 'NO'}\n" for name in figures["wanted"]]
    return "".join(lines)


def _grouped(done: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for one in done:
        whom = "" if one["kind"].endswith("at once") else f" {one['whom']}"
        found[f"{one['kind']}{whom}"].append(one["recovered_s"])
    return found


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(RESULT.read_text())))

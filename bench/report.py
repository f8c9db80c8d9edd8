"""Saves figures, and generates docs/measured.md from them: `python -m bench.report`."""

import json
import os
import platform
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from bench.scale import table as scale_table
from bench.stream import table as stream_table
from settings import ROOT

RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "measured.md"
TABLES = {"scale": scale_table.tables, "stream": stream_table.tables}
"""Results that have tables of their own, by the file's name."""
HEAD = """# Measurements

Written by `python -m bench.report` from the files in bench/results, which the benchmarks write; a test compares them.
The machines are shared and noisy: each figure is from one run, or from as many rounds as its command names, on the
machine given with it. Newer results tell how fast that was when they were saved.
"""


def save(name: str, command: str, figures: Mapping[str, object]) -> None:
    """Save a run's figures with the command, the commit and the machine."""
    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, check=True)  # noqa: S607 - git, by name
    machine = (
        f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, Python {platform.python_version()}, "
        f"which adds up ten million integers in {loop_s():.2f} s"
    )
    values = {"command": command, "commit": commit.stdout.decode().strip(), "machine": machine, "figures": figures}
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=2) + "\n")


def loop_s() -> float:
    """Return the CPU seconds of a loop in Python: shared machines are at times half as fast as at others."""
    begun, total = time.process_time(), 0
    for number in range(10_000_000):
        total += number
    return time.process_time() - begun


def page(results: Path) -> str:
    """Return the page: a section for each run, with its tables or a line for each figure."""
    parts = [HEAD]
    for path in sorted(results.glob("*.json")):
        result = json.loads(path.read_text())
        parts.append(f"\n## {path.stem}\n`{result['command']}` at commit {result['commit']}: {result['machine']}.\n\n")
        if path.stem in TABLES:
            parts.append(TABLES[path.stem](result["figures"]))
            continue
        parts.append("| figure | value |\n|---|---|\n")
        parts += [f"| {name.replace('_', ' ')} | {shown(value)} |\n" for name, value in result["figures"].items()]
    return "".join(parts)


def shown(value: object) -> str:
    """Return a figure as text."""
    if value is None:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "; ".join(shown(part) for part in value)
    return f"{value:,}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(RESULTS))

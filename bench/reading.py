"""How fast files are read, beside an earlier commit: `python -m bench.reading --against COMMIT [--rounds 3] [--save]`.

Every file of ../shared/data that both read, opened and read to its end in CPU seconds, the least of all rounds; the
trees take turns, each in a process of its own. The earlier one is a worktree in a temporary folder, and
has `sources/reading` already.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.report import save
from settings import ROOT

DATA = ROOT.parent / "shared" / "data"
REPEATS = 4
Times = dict[str, tuple[int, float]]
"""Of a file its rows and its seconds."""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", required=True, metavar="COMMIT")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        old = Path(scratch) / "old"
        _git("worktree", "add", "--detach", str(old), options.against)
        try:
            rounds = [(_read_in(old), _read_in(ROOT)) for _ in range(options.rounds)]
        finally:
            _git("worktree", "remove", "--force", str(old))
    before, now = (_least([pair[place] for pair in rounds]) for place in (0, 1))
    both = before.keys() & now.keys()
    ratios = {name: now[name][1] / before[name][1] for name in both}
    slowest = max(ratios, key=lambda name: ratios[name])
    figures = {
        "files that both read": len(both),
        "rows": sum(now[name][0] for name in both),
        "files with other counts": sum(now[name][0] != before[name][0] for name in both),
        "rows a CPU second before": _rate(before, both),
        "rows a CPU second now": _rate(now, both),
        "files that take longer": sum(ratio > 1 for ratio in ratios.values()),
        "longest ratio": f"{ratios[slowest]:.2f}, {slowest}: {before[slowest][1] * 1e3:.1f} ms before",
    }
    print(json.dumps(figures, indent=2))
    if options.save:
        save("reading", f"python -m bench.reading --against {options.against} --rounds {options.rounds}", figures)


def read_all(folder: Path) -> Times:
    """Read every file of a folder that this tree reads."""
    from sources.errors import SourceError
    from sources.reading.reader import open_files
    from sources.reading.request import ReadRequest

    values: Times = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for _ in range(REPEATS):
            with tempfile.TemporaryDirectory() as scratch:
                begun = time.process_time()
                try:
                    reader = open_files([path], ReadRequest(), Path(scratch))
                    for _part in reader.parts(Path(scratch)):
                        pass
                except SourceError:
                    break
                passed, name = time.process_time() - begun, str(path.relative_to(folder))
                values[name] = (reader.counts.rows, min(passed, values.get(name, (0, passed))[1]))
    return values


def _read_in(tree: Path) -> Times:
    """Read all files in a process whose modules are those of a tree; this file is the one of today."""
    ran = subprocess.run(
        [sys.executable, "-P", __file__, "--read", str(DATA)],
        env={**os.environ, "PYTHONPATH": str(tree)},
        cwd=tree,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name: (rows, seconds) for name, (rows, seconds) in json.loads(ran.stdout).items()}


def _least(rounds: list[Times]) -> Times:
    return {name: min((one[name] for one in rounds), key=lambda pair: pair[1]) for name in rounds[0]}


def _rate(times: Times, names: set[str]) -> int:
    return round(sum(times[name][0] for name in names) / sum(times[name][1] for name in names))


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True)  # noqa: S607 - git, by name


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        print(json.dumps(read_all(Path(sys.argv[2]))))
    else:
        main()

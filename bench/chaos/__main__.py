"""Faults at random points for half an hour: `python -m bench.chaos [--faults 50] [--minutes 30] [--seed N] [--save]`.

Prints the seed, each fault with the recovery time in seconds, and whether every row is there as
in a run that nothing disturbed. Exit code 1 where a row differs, or where a rare state was not reached.
"""

import argparse
import json
import random
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.chaos.run import Figures, run
from bench.report import save


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=None, help="the faults of an earlier run; random by default")
    parser.add_argument("--only", nargs="*", default=(), help="these faults in this order, by name")
    parser.add_argument(
        "--save", nargs="?", const="run", metavar="NAME", help="keep the figures in bench/results/chaos"
    )
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="foretick-chaos-tables-"))
    begun = time.monotonic()
    try:
        figures = run(seed, options.faults, options.minutes, folder, options.only)
    finally:
        shutil.rmtree(folder)
    print(json.dumps(figures.as_json(), indent=2))
    if options.save:
        what = f"--only {shlex.join(options.only)}" if options.only else f"--faults {options.faults}"
        command = f"python -m bench.chaos {what} --minutes {options.minutes:g} --seed {seed}"
        save(f"chaos/{options.save}", command, figures.as_json())
    print(f"{time.monotonic() - begun:.0f} s in all")
    sys.exit(0 if good(figures, () if options.only else figures.wanted) else 1)


def good(figures: Figures, wanted: Sequence[str]) -> bool:
    """Return whether every row is equal, and every rare state was reached."""
    return not figures.differences and not figures.double_champions and set(wanted) <= set(figures.reached)


if __name__ == "__main__":
    main()

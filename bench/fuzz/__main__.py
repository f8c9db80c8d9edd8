"""Bytes that nobody would send, for an hour: `python -m bench.fuzz [--minutes 60] [--seed N] [--save]`.

Every topic of the catalog is fuzzed. The changelogs of the stages' states are not: they are the stack's own store, and
tests/faust is about them. Prints the seed and what was found; exit code 1 at the first thing that does not hold.
"""

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from bench.fuzz.run import run
from bench.report import save


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None, help="the inputs of an earlier run; random by default")
    parser.add_argument("--now", type=int, default=None, help="that run's time, epoch ms")
    parser.add_argument(
        "--ring", type=Path, default=Path("fuzz-ring.jsonl"), help="where the last inputs go if it fails"
    )
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # so that the stacks are stopped
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="foretick-fuzz-tables-"))
    begun = time.monotonic()
    try:
        figures = run(seed, options.minutes, folder, options.ring, options.now)
    finally:
        shutil.rmtree(folder)
    print(json.dumps(figures.as_json(), indent=2))
    if options.save and figures.good():
        save("chaos/fuzz", f"python -m bench.fuzz --minutes {options.minutes:g} --seed {seed}", figures.as_json())
    print(f"{time.monotonic() - begun:.0f} s in all")
    sys.exit(0 if figures.good() else 1)


if __name__ == "__main__":
    main()

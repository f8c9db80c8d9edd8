"""Run schedules: `python -m tests.simulation SEED [COUNT] [--defect NAME]`."""

import argparse
import logging
import time
from collections import Counter

from simulation.auditor import RuleError
from simulation.defects import DEFECTS, SELDOM
from simulation.schedule import check
from simulation.worker import Worker


def run() -> int:
    """Run what the command line says, print what was found, and return the exit status."""
    planted = {name: worker for name, (worker, _) in DEFECTS.items()} | SELDOM
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("count", type=int, nargs="?", default=1)
    parser.add_argument("--defect", choices=sorted(planted), help="plant this defect")
    options = parser.parse_args()
    logging.disable()
    worker = planted[options.defect] if options.defect else Worker
    met: Counter[str] = Counter()
    wrong: list[str] = []
    begun = time.process_time()
    for seed in range(options.seed, options.seed + options.count):
        try:
            met += check(seed, worker)
        except RuleError as error:
            wrong.append(str(error))
    lines = [*wrong[:10], *(f"{count:8} {what}" for what, count in sorted(met.items()))]
    seconds = time.process_time() - begun
    print(*lines, f"{options.count} schedules, {len(wrong)} wrong, {seconds:.1f} s", sep="\n")  # noqa: T201 - it is asked
    return int(bool(wrong))

"""Where it bends: `python -m bench.scale [--workers N…] [--symbols N…] [--rates N…] [--save]`.

For each number of workers and of symbols a stack of its own on this machine: first two backlogs of single ticks, with
one and with ten ticks a bar, from which follow the throughput and what a tick and a bar cost; then the latency of
predictions at each rate, a minute of the market passing as fast as the rate needs for a tick of each symbol a minute or
more. Then: does anything grow with the square of the symbols, and what would 1, 10 and 100 such machines carry?
"""

import argparse
import json
import os
import shlex
import sys
from typing import Any

import psutil

from bench.report import save
from bench.scale.growth import growth, verdict
from bench.scale.model import Machine, assumptions, model
from bench.scale.run import Figures, Plan, measured

TICKS_A_MINUTE = 60.0


def concluded(runs: list[Figures], ticks_a_minute: float) -> Figures:
    """Return the runs with what follows from them: what grows how, a symbol's need, and the model."""
    fewest = min(run["workers"] for run in runs)
    alike = sorted((run for run in runs if run["workers"] == fewest), key=lambda run: int(run["symbols"]))
    largest = alike[-1]
    machine = Machine(cores=os.cpu_count() or 1, memory_gib=psutil.virtual_memory().total / 2**30)
    exponents = growth(alike)
    count = largest["symbols"]
    return {
        "runs": runs,
        "growth_with_symbols": exponents,
        "verdict": verdict(exponents),
        "per_symbol": {
            "worker_kib": round((largest["worker_mib"] - largest["worker_mib_without_symbols"]) * 1024 / count, 1),
            "state_bytes": {name: round(value / count) for name, value in largest["state_bytes"].items()},
        },
        "model": model(largest, machine, ticks_a_minute),
        "assumptions": assumptions(largest, machine, ticks_a_minute),
    }


def main() -> None:
    """Measure and print."""
    default: Any = Plan()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", nargs="+", type=int, default=default.workers, metavar="N")
    parser.add_argument("--symbols", nargs="+", type=int, default=default.symbols, metavar="N")
    parser.add_argument("--rates", nargs="*", type=float, default=default.rates, metavar="N", help="ticks a second")
    parser.add_argument("--bars", type=int, default=default.bars, help="of the first backlog")
    parser.add_argument("--seconds", type=float, default=default.seconds, help="of each rate")
    parser.add_argument(
        "--models", nargs="*", default=(), metavar="NAME", help="that serve instead of the default ones"
    )
    parser.add_argument("--ticks-a-minute", type=float, default=TICKS_A_MINUTE, help="of a symbol, in the model")
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    plan = Plan(
        workers=tuple(options.workers),
        symbols=tuple(options.symbols),
        rates=tuple(options.rates),
        bars=options.bars,
        seconds=options.seconds,
        models=tuple(options.models),
    )
    runs = []
    for workers in plan.workers:
        for symbols in plan.symbols:
            runs.append(measured(workers, symbols, plan))
            print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    figures = concluded(runs, options.ticks_a_minute)
    print(json.dumps(figures, indent=2))
    if options.save:
        words = shlex.join(word for word in sys.argv[1:] if word != "--save")
        save("scale", f"python -m bench.scale {words}".rstrip(), figures)


if __name__ == "__main__":
    main()

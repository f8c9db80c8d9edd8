"""Two years of minutes to a Parquet file: `python -m bench.features_file [--bars N] [--rounds N] [--save]`.

The command `foretick features` as a user starts it, on the bundled sample's Bitcoin minutes, repeated in time. The
first run, which may compile, is not counted; a figure is the median of the rounds. The parts are done once more in one
process: the processor's seconds of each, which overlap in the command.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import pandas as pd

from bench.market import MINUTE, SAMPLE
from bench.report import save
from settings import ROOT

TWO_YEARS = 1_051_200
PART = "--part"


def minutes(rows: int, path: Path) -> None:
    """Write that many bars."""
    once = pd.read_csv(SAMPLE)
    span = int(once["time"].iloc[-1] - once["time"].iloc[0]) + MINUTE
    parts = [once.assign(time=once["time"] + turn * span) for turn in range(-(-rows // len(once)))]
    pd.concat(parts).head(rows).to_csv(path, index=False)


def command(bars: Path, output: Path) -> dict[str, float]:
    """Run the command; return its seconds, those of the processor, and its most memory."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("FORETICK_")}
    environment = {**clean, "FORETICK_HOME": str(output.parent)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "features", str(bars), "-o", str(output), "--json"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("foretick features failed")
    spent = time.perf_counter() - began
    return {"seconds": spent, "cpu_seconds": used.ru_utime + used.ru_stime, "memory_mib": used.ru_maxrss / 1_024}


def parts(bars: Path, output: Path) -> dict[str, float]:
    """Do what the command does, one part after the other; return each part's seconds of the processor."""
    times = [time.process_time()]
    from features.step import FeatureStep
    from sources.feature_file import FeatureFile
    from sources.reading.bars import bar_blocks
    from sources.reading.request import ReadRequest

    times.append(time.process_time())
    step = FeatureStep()
    times.append(time.process_time())
    blocks = list(bar_blocks([bars], "1m", ReadRequest()))
    times.append(time.process_time())
    state, computing = step.initial(), 0.0
    with FeatureFile(output, step.names, step.fingerprint) as file:
        for block in blocks:
            began = time.thread_time()
            state, frame = step.features(state, block)
            computing += time.thread_time() - began
            file.write(frame)
    times.append(time.process_time())
    imports, loading, reading, both = (after - before for before, after in pairwise(times))
    values = {"imports": imports, "loading_the_compiled_code": loading, "reading": reading}
    values |= {"computing": computing, "writing": both - computing}
    return {f"{name}_cpu_seconds": seconds for name, seconds in values.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=TWO_YEARS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(PART, nargs=2, type=Path, metavar=("BARS", "OUTPUT"), help="be the process of the parts")
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    if options.part:
        print(json.dumps(parts(*options.part)))
        return
    with tempfile.TemporaryDirectory(prefix="foretick-bench-") as name:
        bars, output = Path(name) / "BTCUSDT-1m.csv", Path(name) / "F.parquet"
        minutes(options.bars, bars)
        runs = [command(bars, output) for _ in range(options.rounds + 1)][1:]
        size = output.stat().st_size
        alone = subprocess.run(
            [sys.executable, "-m", "bench.features_file", PART, str(bars), str(output)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        )
    values: dict[str, object] = {"bars": options.bars, "file_mib": round(size / 2**20)}
    values |= {key: round(median(run[key] for run in runs), 2) for key in runs[0]}
    values |= {key: round(seconds, 2) for key, seconds in json.loads(alone.stdout).items()}
    print(json.dumps(values, indent=2))
    if options.save:
        save("features_file", f"python -m bench.features_file --bars {options.bars}", values)


if __name__ == "__main__":
    main()

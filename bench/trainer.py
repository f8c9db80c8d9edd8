"""Does a training disturb the stream? `python -m bench.trainer [--seconds S] [--rounds N]`.

Ticks of twenty markets come in live, a minute of each a second; the time from the tick that completes a bar to its
predictions on the topic is taken in turns with the trainer idle and with it at work on the persisted history. Both in
one stack, one after another, so that the machine's noise meets both. Goal: a 99th percentile of at most 1.5 times.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench.latency import Live, quantiles
from bench.replay import SAMPLE, running
from bench.report import save
from learning.runs.queue import Runs
from learning.runs.records import Options
from settings import ADDRESSES, ROOT, Settings
from stack.topic_lag import lag

COMPONENTS = (
    "kafka",
    "postgres",
    "redis",
    "prepare",
    "train",
    "mlflow",
    "deploy",
    "worker",
    "persist",
    "watch",
    "trainer",
)
SYMBOLS = tuple(f"S{number:02d}USDT" for number in range(20))
START = 1_767_225_600_000
"""2026: later than the sample, whose bars are the history."""


QUIET = {"FORETICK_RETRAIN_CRON": "never", "FORETICK_RETRAIN_ON_DRIFT": "false", "FORETICK_PROMOTE": "false"}
"""The trainer works when it is asked to, and at no other time."""
WARM_S = 10.0


class Kept:
    """Keeps the trainer at work: asks for a run whenever there is none."""

    def __init__(self, url: str) -> None:
        self.runs, self.asked, self._ended = Runs(url), 0, threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "Kept":
        self._thread.start()
        deadline = time.monotonic() + 60
        while not any(run.state == "running" for run in self.runs.unfinished()):
            if time.monotonic() > deadline:
                raise SystemExit("the trainer takes no run")
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        while self.runs.unfinished():
            time.sleep(0.2)

    def _ask(self) -> None:
        while not self._ended.is_set():
            if not self.runs.unfinished():
                self.runs.request("to see what it disturbs", "bench", START, Options(until=START, days=400.0))
                self.asked += 1
            time.sleep(0.1)


def every(rounds: list[list[float]]) -> list[float]:
    """Return the times of all rounds."""
    return [took for part in rounds for took in part]


def measure(home: Path, seconds: float, rounds: int) -> dict[str, object]:
    """Return the figures of one stack in both conditions."""
    with running(home, COMPONENTS, QUIET) as environment:
        addresses = json.loads((home / ADDRESSES).read_text())
        kafka, url = Settings(home=home).broker, addresses["database_url"]
        command = [sys.executable, "-m", "cli.main", "replay", *map(str, SAMPLE), "--json"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        while any(behind != 0 for behind in asyncio.run(lag(kafka)).values()):
            time.sleep(1)
        live = Live(kafka=kafka, symbols=SYMBOLS, start=START)
        asyncio.run(live.run(WARM_S))
        idle: list[list[float]] = []
        busy: list[list[float]] = []
        asked = 0
        for _ in range(rounds):
            idle.append(asyncio.run(live.run(seconds)))
            with Kept(url) as kept:
                busy.append(asyncio.run(live.run(seconds)))
            asked += kept.asked
        failed = [run.run_id for run in Runs(url).listed() if run.state != "done"]
        if failed:
            raise SystemExit(f"runs that did not end well: {', '.join(failed)}")
    alone, beside = quantiles(every(idle)), quantiles(every(busy))
    return {
        "bars_timed": len(every(idle)) + len(every(busy)),
        "runs_of_the_pipeline": asked,
        "milliseconds_trainer_idle": alone,
        "milliseconds_trainer_at_work": beside,
        "p99_ratio": round(beside["p99"] / alone["p99"], 2),
        "p99_ratio_by_round": [
            round(quantiles(second)["p99"] / quantiles(first)["p99"], 2)
            for first, second in zip(idle, busy, strict=True)
        ],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=45.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="foretick-bench-"))
    try:
        figures = measure(home, options.seconds, options.rounds)
        print(json.dumps(figures, indent=2))
        if options.save:
            save("trainer", f"python -m bench.trainer --seconds {options.seconds:g} --rounds {options.rounds}", figures)
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()

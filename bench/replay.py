"""A million real minutes through the whole pipeline: `python -m bench.replay [FILE…] [--bars N]`.

Starts a stack of its own in a folder that is removed afterwards, replays at full speed with the `foretick replay`
command, and ends the clock when the last row is on disk and its offset committed. Without files it repeats the bundled
sample, shifted in time, until there are N bars. Prints bars a second, CPU seconds by process, and the memory of the
workers at each quarter of the way: flat means that it does not grow.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import psutil
import psycopg

from bench.report import save
from settings import ADDRESSES, ROOT, Settings
from stack import state
from stack.topic_lag import lag

SAMPLE = sorted((ROOT / "sample").glob("*.csv.gz"))
MODELS, HORIZONS = 3, 4
FULL = ("kafka", "postgres", "redis", "prepare", "train", "worker", "persist")
POLL_S = 1.0


def repeated(bars: int, folder: Path) -> list[Path]:
    """Write the sample's files again and again, one after another in time, until they hold that many bars together."""
    paths = []
    for path in SAMPLE:
        once = pd.read_csv(path)
        span = int(once["time"].iloc[-1] - once["time"].iloc[0]) + 60_000
        wanted = bars // len(SAMPLE)
        parts = [once.assign(time=once["time"] + turn * span) for turn in range(-(-wanted // len(once)))]
        paths.append(folder / path.name.removesuffix(".gz"))
        pd.concat(parts).head(wanted).to_csv(paths[-1], index=False)
    return paths


@contextmanager
def running(home: Path, names: tuple[str, ...], others: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Run those components in `home`, with `others` in the environment; give the environment that points at them."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("FORETICK_")}
    environment = {**clean, "FORETICK_HOME": str(home), **(others or {})}
    with (home / "supervisor.log").open("w") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "stack", *names], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        while not healthy(home, names):
            failed = given_up(home)
            if failed or supervisor.poll() is not None:
                log = (home / "supervisor.log").read_text()[-2000:]
                raise SystemExit(f"the stack did not start: {failed or log}")
            time.sleep(0.2)
        yield environment
    finally:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(60)


def given_up(home: Path) -> str:
    """Return the components that do not come up, with their errors; nothing if all do."""
    current = state.read(home)
    values = current.components if current else {}
    return "; ".join(f"{name}: {status.last_error}" for name, status in values.items() if status.given_up())


def healthy(home: Path, names: tuple[str, ...]) -> bool:
    """Return whether every component is up, or has done its work."""
    current = state.read(home)
    return current is not None and all(
        name in current.components and current.components[name].ready() for name in names
    )


def processes(home: Path, names: tuple[str, ...]) -> dict[str, list[psutil.Process]]:
    """Return the processes of each component, with their children."""
    current = state.read(home)
    values: dict[str, list[psutil.Process]] = {}
    for name in names:
        pid = current.components[name].pid if current else None
        if pid and psutil.pid_exists(pid):
            parent = psutil.Process(pid)
            values[name] = [parent, *parent.children(recursive=True)]
    return values


def cpu(members: list[psutil.Process]) -> float:
    """Return the CPU seconds of processes, those that ended left out."""
    total = 0.0
    for process in members:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def rss_mb(members: list[psutil.Process]) -> float:
    """Return the resident memory of processes in MiB."""
    return sum(process.memory_info().rss for process in members if process.is_running()) / 2**20


def stored(url: str, table: str) -> int:
    """Return the number of rows in a table."""
    with psycopg.connect(url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - the names are ours
    return int(row[0]) if row else 0


def measure(files: list[Path], home: Path) -> dict[str, object]:
    """Replay the files through a stack of its own and return the figures."""
    with running(home, FULL) as environment:
        kafka = Settings(home=home).broker
        url = json.loads((home / ADDRESSES).read_text())["database_url"]
        before = {name: cpu(members) for name, members in processes(home, FULL).items()}
        begun = time.monotonic()
        command = [sys.executable, "-m", "cli.main", "replay", *map(str, files), "--json"]
        replay = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        memory: list[tuple[float, dict[str, float]]] = []
        sent = None
        while True:
            time.sleep(POLL_S)
            members = processes(home, ("worker", "persist"))
            memory.append((time.monotonic() - begun, {name: rss_mb(part) for name, part in members.items()}))
            if replay.poll() is not None and sent is None:
                sent = time.monotonic() - begun
            # Unknown is not none: under this load a broker may take longer to answer than `lag` waits.
            if sent is not None and all(behind == 0 for behind in asyncio.run(lag(kafka)).values()):
                break
        seconds = time.monotonic() - begun
        summary = json.loads(replay.stdout.read()) if replay.stdout else {}
        bars = stored(url, "bars")
        used = {name: cpu(part) - before.get(name, 0.0) for name, part in processes(home, FULL).items()}
        return {
            "bars": bars,
            "seconds": round(seconds, 1),
            "bars_per_second": round(bars / seconds),
            "replay_sent_after_seconds": round(sent or 0.0, 1),
            "predictions": stored(url, "predictions"),
            "predictions_expected": bars * MODELS * HORIZONS,
            "outcomes": stored(url, "outcomes"),
            "dead_letters": stored(url, "dead_letters"),
            "cpu_seconds": {name: round(value, 1) for name, value in used.items()},
            "memory_mib_by_quarter": [memory[len(memory) * part // 4 - 1][1] for part in (1, 2, 3, 4)],
            "replay": summary,
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--bars", type=int, default=1_000_000)
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="foretick-bench-"))
    try:
        files = [path.resolve() for path in options.files] or repeated(options.bars, folder)
        figures = measure(files, folder)
        print(json.dumps(figures, indent=2))
        if options.save:
            names = " ".join(path.name for path in options.files) or f"--bars {options.bars}"
            save("replay", f"python -m bench.replay {names}", figures)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

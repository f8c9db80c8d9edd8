"""Bars and features alone, through Kafka and Faust: `python -m bench.features_stream [FILE…] [--bars N]`.

The real `foretick replay` sends the bars, and a worker with the stages ticks to bars to features alone folds them and
publishes, each delivery awaited. The clock runs from the replay command's start until the worker has committed the last
bar; `sending_seconds` is the replay's own time without Python's start.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError

from bench.replay import cpu, repeated, rss_mb, running
from bench.report import save
from broker.admin import create_topics
from settings import ROOT, Settings
from settings.broker import Address
from stack.topic_lag import admin_client, committed_by, consumer_client
from topics.catalog import BARS, WORKER_GROUP

SOME = (
    "log_return_1,log_return_5,log_return_15,log_return_60,rsi_14,stochastic_k_14,stochastic_d_14_3,williams_r_14,cci_20,"
    "roc_12,ema_12,ema_26,macd_12_26,macd_signal_12_26_9,macd_histogram_12_26_9,adx_14,plus_di_14,minus_di_14,zscore_60,"
    "natr_14,bollinger_b_20,bollinger_width_20,realised_volatility_60,mfi_14,vwap_gap_14,volume_ratio_20"
)
"""Widely used ones, beside the four of the regimes."""
POLL_S = 0.2
DEADLINE_S, SETTLE_S = 300.0, 5.0


async def left(bootstrap: Address) -> int:
    """Return how many Kafka records of bars the worker has not committed."""
    async with admin_client(bootstrap) as admin, consumer_client(bootstrap) as consumer:
        committed = await committed_by(admin, WORKER_GROUP)
        ends = await consumer.end_offsets([TopicPartition(BARS.name, number) for number in range(BARS.partitions)])
    return sum(end - max(0, committed.get(partition, 0)) for partition, end in ends.items())


async def members(bootstrap: Address) -> int:
    """Return how many workers share the partitions, 0 while they are being shared out."""
    async with admin_client(bootstrap) as admin:
        try:
            (answer,) = await admin.describe_consumer_groups([WORKER_GROUP])
        except GroupCoordinatorNotAvailableError:  # nobody has asked for a group yet
            return 0
    group = answer.to_object()["groups"][0]
    return len(group["members"]) if group["state"] == "Stable" else 0


def wait_for_the_workers(kafka: Address, count: int) -> None:
    """Return when that many workers share the partitions and have recovered."""
    deadline = time.monotonic() + DEADLINE_S
    while asyncio.run(members(kafka)) < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"{count} workers did not come up in {DEADLINE_S:.0f} s")
        time.sleep(POLL_S)
    time.sleep(SETTLE_S)


def measure(files: list[Path], home: Path, count: int, columns: str) -> dict[str, object]:
    """Replay the files through bars and those features (all if none), and return the figures."""
    with running(home, ("kafka",)) as environment:
        environment |= {"FORETICK_FEATURES": columns}
        kafka = Settings(home=home).broker
        create_topics(kafka)
        workers = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.features_stream", "--worker"],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for _ in range(count)
        ]
        try:
            wait_for_the_workers(kafka, count)
            member = [psutil.Process(worker.pid) for worker in workers]
            before, begun = cpu(member), time.monotonic()
            command = [sys.executable, "-m", "cli.main", "replay", *map(str, files), "--json"]
            done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
            replayed = time.monotonic() - begun
            while asyncio.run(left(kafka)):
                if time.monotonic() - begun > DEADLINE_S:
                    raise SystemExit(f"the worker has not read everything after {DEADLINE_S:.0f} s")
                time.sleep(POLL_S)
            seconds, used = time.monotonic() - begun, cpu(member) - before
            summary = json.loads(done.stdout)
            return {
                "workers": count,
                "bars": summary["bars"],
                "seconds": round(seconds, 1),
                "bars_per_second": round(summary["bars"] / seconds),
                "bars_per_second_once_python_has_started": round(
                    summary["bars"] / (seconds - (replayed - summary["seconds"]))
                ),
                "sending_seconds": round(summary["seconds"], 1),
                "worker_cpu_microseconds_per_bar": round(used / summary["bars"] * 1e6, 1),
                "worker_memory_mib": round(rss_mb(member)),
            }
        finally:
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.wait(30)


def work() -> None:
    """Be the worker."""
    from features.definition import Definition
    from features.step import FeatureStep
    from stream.app import run
    from stream.bars import Bars
    from stream.stages import Indicators
    from stream.worker import make_worker

    settings = Settings()
    features = FeatureStep(Definition(columns=settings.features))
    run(make_worker(settings, [Bars(settings.interval, settings.grace_ms), Indicators(features)]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--bars", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2, help="they share the symbols between them")
    parser.add_argument("--some", action="store_true", help="publish some widely used features instead of all")
    parser.add_argument("--worker", action="store_true", help="be the worker that is measured")
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    if options.worker:
        work()
        return
    folder = Path(tempfile.mkdtemp(prefix="foretick-bench-"))
    try:
        files = [path.resolve() for path in options.files] or repeated(options.bars, folder)
        figures = measure(files, folder, options.workers, SOME if options.some else "")
        print(json.dumps(figures, indent=2))
        if options.save:
            names = " ".join(path.name for path in options.files) or f"--bars {options.bars}"
            some = " --some" if options.some else ""
            name = "features_stream_some" if options.some else "features_stream"
            save(name, f"python -m bench.features_stream {names}{some}", figures)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

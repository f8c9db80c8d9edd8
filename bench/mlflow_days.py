"""How long the watch takes to tell MLflow of a day: `python -m bench.mlflow_days [--days N] [--symbols N]`.

Starts a TimescaleDB and an MLflow of its own in folders that are removed afterwards, and fills the former with minutes
of made-up forecasts and outcomes of the default models. Each of their versions has a run, which is told of day after
day as the watch does: curves by day, and a table and a plot of the last week. `milliseconds_a_day` are for all
models together, `of_them_in_mlflow` is the share that the server took; `all_days_at_once` is a watch that was away.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import psycopg

from bench.latency import quantiles
from bench.queries import DAYS, START, fill
from bench.replay import running
from bench.report import save
from learning.monitoring.skill import ALL, DAY_MS, HOUR_MS
from learning.tracking.log_stream import StreamLog
from learning.tracking.tracker import Tracker
from models.registry import provenance
from models.registry.names import DEFAULT_MODELS
from models.registry.provenance import Provenance
from settings import ADDRESSES
from storage.timescale import migrate
from topics.records import HORIZONS, Deployment

if TYPE_CHECKING:
    from mlflow import MlflowClient

T = TypeVar("T")

SYMBOLS = 2
"""Of the default stack's sample."""
BEGIN = round(START.timestamp() * 1000)
SKILL = f"""
INSERT INTO model_skill (time, interval, model, version, role, horizon, regime, days, forecasts, pinball_skill,
    mae_skill, coverage)
SELECT t, '1m', m, v, 'champion', h, r, d, 1440, random(), random(), random()
FROM generate_series(%(start)s::timestamptz, %(start)s::timestamptz + %(days)s * interval '1 day', interval '1 hour') t,
    unnest(%(models)s::text[]) m, unnest(%(versions)s::text[]) v, unnest(%(horizons)s::int[]) h,
    unnest(ARRAY['{ALL}', 'calm', 'normal', 'wild']) r, unnest(ARRAY[1, 7]) d
"""  # noqa: S608 - our own constant


class Timed(Tracker):
    """A tracker that counts its calls and the seconds in which the server was asked."""

    calls, seconds = 0, 0.0

    def call(self, ask: "Callable[[MlflowClient], T]") -> T | None:
        """Ask, and count."""
        begun = time.perf_counter()
        try:
            return super().call(ask)
        finally:
            self.calls, self.seconds = self.calls + 1, self.seconds + time.perf_counter() - begun


def registered(tracker: Tracker, models: Path, version: str) -> tuple[dict[str, Deployment], float]:
    """Register a version of each default model, and return the decisions that have it serve and the seconds it took."""
    origin = Provenance(
        first=BEGIN - 24 * DAY_MS,
        last=BEGIN - 60_000,
        rows=69_120,
        symbols=["BTCUSDT", "S01USDT"],
        data_sha256="ab" * 32,
        fingerprint="print",
        seed=0,
    )
    for model in DEFAULT_MODELS:
        folder = models / model / version
        folder.mkdir(parents=True)
        (folder / "model.json").write_text("{}")
        provenance.write(folder, origin)
    latest = {
        model: Deployment(model=model, number=1, action="serve", champion=version, fingerprint="print", time=BEGIN)
        for model in DEFAULT_MODELS
    }
    begun = time.perf_counter()
    tracker.align(latest, models)
    return latest, time.perf_counter() - begun


def measure(connection: psycopg.Connection, uri: str, models: Path, days: int) -> dict[str, object]:
    """Return the figures of telling of one day after another, and of all at once."""
    tracker = Timed(uri)
    latest, first = registered(tracker, models, "v1")
    took: list[float] = []
    asked: list[float] = []
    calls: list[int] = []
    log = StreamLog(connection, "1m", models)
    for day in range(1, days + 1):
        begun, calls_before, seconds_before = time.perf_counter(), tracker.calls, tracker.seconds
        log.log(tracker, latest, BEGIN + day * DAY_MS + 2 * HOUR_MS)
        took.append(time.perf_counter() - begun)
        asked.append(tracker.seconds - seconds_before)
        calls.append(tracker.calls - calls_before)
    connection.execute("UPDATE series SET version = 'v2'")
    latest, _ = registered(tracker, models, "v2")
    begun = time.perf_counter()
    StreamLog(connection, "1m", models).log(tracker, latest, BEGIN + days * DAY_MS + 2 * HOUR_MS)
    return {
        "models": len(DEFAULT_MODELS),
        "days": days,
        "registering_the_versions_seconds": round(first, 2),
        "milliseconds_a_day": quantiles([1_000 * one for one in took]),
        "of_them_in_mlflow": round(statistics.fmean(asked) / statistics.fmean(took), 2),
        "calls_a_day": statistics.median(calls),
        "all_days_at_once_seconds": round(time.perf_counter() - begun, 2),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--symbols", type=int, default=SYMBOLS)
    parser.add_argument("--save", action="store_true", help="write the figures to bench/results")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="foretick-mlflow-"))
    (home / "mlflow").mkdir()
    try:
        with running(home, ("postgres",)):
            url = json.loads((home / ADDRESSES).read_text())["database_url"]
            migrate(url)
            with psycopg.connect(url, autocommit=True) as connection:
                fill(connection, options.symbols, options.days)
                whose = {"models": list(DEFAULT_MODELS), "versions": ["v1", "v2"], "horizons": list(HORIZONS)}
                connection.execute(SKILL, {"start": START, "days": options.days, **whose})
                connection.execute("ANALYZE")
                with running(home / "mlflow", ("mlflow",), {"FORETICK_DATABASE_URL": url}):
                    uri = json.loads((home / "mlflow" / ADDRESSES).read_text())["mlflow_uri"]
                    figures = measure(connection, uri, home / "models", options.days)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    figures = {"symbols": options.symbols, **figures}
    print(json.dumps(figures, indent=2))
    if options.save:
        save("mlflow", f"python -m bench.mlflow_days --days {options.days} --symbols {options.symbols}", figures)


if __name__ == "__main__":
    main()

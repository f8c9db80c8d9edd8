"""What storing one bar costs: itself, 60 features, the regime, and 3 models x 4 horizons of predictions and outcomes.

Usage: python -m bench.storage DATABASE_URL [--bars 200000] [--batch 2000] [--span 1]
It makes and drops the database `bench_storage`. The server's CPU is that of all this machine's
processes named postgres.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import numpy as np
import psutil
import psycopg
from msgspec import Struct
from psycopg import sql

from storage.timescale import Writer, migrate
from topics.catalog import BARS, FEATURES, OUTCOMES, PREDICTIONS, REGIMES, Topic
from topics.records import HORIZONS, QUANTILES, Bar, Features, Forecast, Outcome, Prediction, Regime

DATABASE = "bench_storage"
SYMBOLS = ("BTCUSDT", "ETHUSDT")
MODELS = {"naive": "3c1f9a8be0d24c55", "river": "9b7ce2d4410f6aa8", "lightgbm": "0e5d7745c2f8b19c"}
FEATURE_COUNT = 60
START_MS = 1_577_836_800_000
MINUTE_MS = 60_000
Records = dict[Topic, Sequence[Struct]]


def batches(bars: int, batch: int, span: int) -> Iterator[Records]:
    """Yield records of `bars` bars; `span` > 1 leaves bars out evenly, so that few bars cover the months of many."""
    rng = np.random.default_rng(0)
    each = batch // len(SYMBOLS)
    for first in range(0, bars // len(SYMBOLS), each):
        made: dict[Topic, list[Struct]] = {BARS: [], FEATURES: [], REGIMES: [], PREDICTIONS: [], OUTCOMES: []}
        for symbol in SYMBOLS:
            for row in range(first, first + each):
                _one(made, symbol, START_MS + row * span * MINUTE_MS, rng)
        yield dict(made)


def _one(made: dict[Topic, list[Struct]], symbol: str, time_ms: int, rng: np.random.Generator) -> None:
    noise = rng.normal(size=FEATURE_COUNT).tolist()
    made[BARS].append(Bar(symbol, "1m", time_ms, 100.0, 101.0 + abs(noise[0]), 99.0, 100.5, abs(noise[1]), 12))
    made[FEATURES].append(
        Features(symbol=symbol, interval="1m", time=time_ms, close=100.5, fingerprint="8f3e2d1c0b9a7f6e", values=noise)
    )
    made[REGIMES].append(
        Regime(
            symbol=symbol,
            interval="1m",
            time=time_ms,
            state="calm",
            posterior={"calm": 0.71234567, "volatile": 0.28765433},
        )
    )
    for model, version in MODELS.items():
        x = rng.normal(size=4 * (2 + len(QUANTILES))).reshape(4, -1)
        forecasts = [
            Forecast(horizon=h, mean=row[0], scale=abs(row[1]), quantiles=sorted(row[2:]), p_up=0.5)
            for h, row in zip(HORIZONS, x.tolist(), strict=True)
        ]
        made[PREDICTIONS].append(
            Prediction(
                symbol=symbol,
                interval="1m",
                time=time_ms,
                model=model,
                version=version,
                fingerprint="8f3e2d1c0b9a7f6e",
                price=100.5,
                forecasts=forecasts,
                regime="calm",
            )
        )
        for horizon, (a, b, c, d, *_) in zip(HORIZONS, x.tolist(), strict=True):
            at = time_ms - horizon * MINUTE_MS
            made[OUTCOMES].append(
                Outcome(symbol, "1m", at, model, version, horizon, time_ms, "scored", a, b, c, d, a > 0, b > 0)
            )


def server_cpu() -> float:
    """Return the CPU seconds of all running processes named postgres."""
    total = 0.0
    for process in psutil.process_iter(["name", "cpu_times"]):
        if process.info["name"] == "postgres":
            total += process.info["cpu_times"].user + process.info["cpu_times"].system
    return total


async def measure(url: str, bars: int, batch: int, span: int) -> None:
    """Print the cost a bar of storing new records, then of storing the same again."""
    for what in ("new records", "the same again"):
        writer = Writer(url)
        wall = python = server = 0.0
        for records in batches(bars if what == "new records" else min(bars, 20_000), batch, span):
            before = time.perf_counter(), time.process_time(), server_cpu()
            await writer.write(records)
            wall += time.perf_counter() - before[0]
            python += time.process_time() - before[1]
            server += server_cpu() - before[2]
        await writer.close()
        count = (bars if what == "new records" else min(bars, 20_000)) / 1e6
        print(f"{what}: us/bar wall {wall / count:.0f}, server {server / count:.0f}, python {python / count:.0f}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--bars", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=2_000)
    parser.add_argument("--span", type=int, default=1)
    options = parser.parse_args()
    with psycopg.connect(options.url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(DATABASE)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        url = urlsplit(options.url)._replace(path=f"/{DATABASE}").geturl()
        migrate(url)
        asyncio.run(measure(url, options.bars, options.batch, options.span))
        with psycopg.connect(url) as measured:
            for (name,) in measured.execute("SELECT hypertable_name FROM timescaledb_information.hypertables"):
                size = measured.execute("SELECT hypertable_size(%s)", (name,)).fetchone()
                print(f"{name}: {(size or (0,))[0] / options.bars:.0f} bytes a bar")
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(DATABASE)))


if __name__ == "__main__":
    main()

"""The engines beside each other: `python -m bench.stream [--engine NAME…] [--rounds N] [--save]`.

Ticks of twenty symbols, JSON, go through Kafka to EMA, MACD, mean, deviation and RSI of each, and back to Kafka. All
engines call the same function of Python (`bench.stream.work`), so that what differs is the engine. Each run has a
broker of its own. First throughput, with one tick a Kafka record and with 200; then the latency at a rate. Every row is
compared with what is right. Figures are medians of the rounds.
"""

import argparse
import json
from statistics import median
from typing import Any

from bench.report import save
from bench.stream.environment import ENGINES, Engine
from bench.stream.measure import Load, run

FRAME_ROWS = 200
RATES = (500.0, 1_000.0, 5_000.0)


def loads(ticks: int, seconds: float, rates: tuple[float, ...]) -> dict[str, Load]:
    """Return the loads by name."""
    throughput = {
        "one tick a record": Load(ticks=ticks),
        f"{FRAME_ROWS} ticks a record": Load(ticks=5 * ticks // (20 * FRAME_ROWS) * 20 * FRAME_ROWS, rows=FRAME_ROWS),
    }
    return throughput | {f"{rate:,.0f} ticks/s": Load(ticks=int(rate * seconds), rate=rate) for rate in rates}


def rounds(engine: Engine, load: Load, count: int) -> dict[str, Any]:
    """Return the medians of the figures."""
    results: list[dict[str, Any]] = [run(engine, load) for _ in range(count)]
    return {name: median(result[name] for result in results) for name in results[0]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", action="append", choices=[one.name for one in ENGINES], help="this one only")
    parser.add_argument("--ticks", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each rate")
    parser.add_argument("--rate", action="append", type=float, help=f"ticks a second, instead of {RATES}; 0 is none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    rates = RATES if options.rate is None else tuple(filter(None, options.rate))
    figures: dict[str, Any] = {}
    for name, load in loads(options.ticks, options.seconds, rates).items():
        for engine in ENGINES:
            if options.engine and engine.name not in options.engine:
                continue
            title = f"{engine.name} {engine.version()}, {name}"
            figures[title] = rounds(engine, load, options.rounds)
            print(json.dumps({title: figures[title]}), flush=True)
    if options.save:
        save("stream", f"python -m bench.stream --rounds {options.rounds}", figures)


if __name__ == "__main__":
    main()

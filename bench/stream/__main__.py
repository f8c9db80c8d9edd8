"""The engines beside each other: `python -m bench.stream [--engines NAME…] [--rounds N] [--rows N] [--save]`.

Ticks of twenty symbols, JSON, go through Kafka to EMA, MACD, mean, deviation and RSI of each, and back to Kafka. All
engines call the same function of Python (`bench.stream.work`), so that what differs is the engine. In each round they
come in turn to one broker, which copying has warmed up, each round with another first: as fast as it goes with one tick
a Kafka record, then, where an engine answers such, with frames of 200; then at a rate. Every row is compared with what
is right. Figures are medians of the rounds; wrong rows are added up. The first row copies what it reads: client and
broker alone.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence

from bench.report import save
from bench.rounds import summary
from bench.stream.broker import shared_broker
from bench.stream.environment import CEILING, ENGINES, Engine
from bench.stream.measure import SYMBOLS, EngineError, Figures, Load, measure
from bench.stream.table import FRAMED, SINGLE

FRAME_ROWS = 200
RATES = (500.0, 1_000.0, 5_000.0)
WARMING = CEILING._replace(name="warming")


def loads(rows: int, seconds: float, rates: Sequence[float], frames: bool) -> dict[str, Load]:
    """Return the loads by name; five times the rows where they come in frames."""
    whole = SYMBOLS * FRAME_ROWS
    fast = {SINGLE: Load(ticks=-(-rows // SYMBOLS) * SYMBOLS)}
    if frames:
        fast[FRAMED] = Load(ticks=-(-5 * rows // whole) * whole, rows=FRAME_ROWS)
    return fast | {f"{rate:g}/s": Load(ticks=int(rate * seconds), rate=rate) for rate in rates}


def chosen(names: Sequence[str]) -> tuple[Engine, ...]:
    """Return the engines of those names or programs, all if there is none. Raises ValueError for others."""
    known = {text.lower(): engine for engine in ENGINES for text in (engine.name, engine.program)}
    unknown = [name for name in names if name.lower() not in known]
    if unknown:
        raise ValueError(f"no engine {', '.join(unknown)}; there are: {', '.join(one.program for one in ENGINES)}")
    return tuple(dict.fromkeys(known[name.lower()] for name in names)) or ENGINES


def compared(
    engines: Sequence[Engine], rounds: int, rows: int, seconds: float, rates: Sequence[float]
) -> dict[str, Figures]:
    """Return each engine's figures; of one that cannot be measured, `not_measured` says why."""
    results: dict[str, list[Figures]] = {engine.name: [] for engine in engines}
    failed: dict[str, str] = {}
    for turn in range(rounds):
        first = turn % len(engines)
        with shared_broker() as broker:
            measure(WARMING, {SINGLE: Load(ticks=-(-rows // SYMBOLS) * SYMBOLS)}, broker)
            for engine in (*engines[first:], *engines[:first]):
                if engine.name in failed:
                    continue
                try:
                    figures = measure(engine, loads(rows, seconds, rates, engine.frames), broker)
                except EngineError as error:
                    failed[engine.name] = str(error)
                    print(f"{engine.name}: {error}", file=sys.stderr, flush=True)
                    continue
                results[engine.name].append(figures)
                print(json.dumps({"round": turn + 1, "engine": engine.name, **figures}), flush=True)
    return {
        engine.name: {"version": engine.version()}
        | ({"not_measured": failed[engine.name]} if engine.name in failed else summary(results[engine.name]))
        for engine in engines
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", nargs="+", default=(), metavar="NAME", help="these only")
    parser.add_argument("--rows", type=int, default=200_000, help="of a run as fast as it goes")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each rate")
    parser.add_argument("--rates", nargs="*", type=float, default=RATES, metavar="N", help="ticks a second")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    try:
        engines = chosen(options.engines)
    except ValueError as error:
        parser.error(str(error))
    figures = compared(engines, options.rounds, options.rows, options.seconds, options.rates)
    print(json.dumps(figures, indent=2))
    if options.save:
        words = shlex.join(word for word in sys.argv[1:] if word != "--save")
        save("stream", f"python -m bench.stream {words}".rstrip(), figures)


if __name__ == "__main__":
    main()

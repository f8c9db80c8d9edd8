"""All that can go wrong between a venue and `ticks`, for ten minutes: `python -m bench.live [--minutes 10] [--save]`.

Runs the exchange of tests/exchange at 2,000 trades a second over four symbols, a Kafka of its own, and `foretick live`,
which is killed with -9 twice a round. At the end every trade must be on `ticks` exactly once, or covered by a gap; and
the bars that the stream's fold makes of the topic must be those of the exchange's own list, but where a gap lies.
"""

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

import psutil

from bench.live_check import compared, truth
from bench.live_run import ROUND, SYMBOLS, Watcher, disturb, exchange, settled
from bench.replay import running
from broker.admin import create_topics
from settings import Settings

INTERVALS = ("1s", "1m")


def measure(minutes: float, rate: float, home: Path) -> dict[str, object]:
    """Run, and return the figures."""
    with running(home, ("kafka",)), exchange(rate) as market:
        kafka = Settings(home=home).broker
        create_topics(kafka)
        watcher = Watcher(home=home, url=market.url)
        watcher.start(*SYMBOLS)
        begun = time.monotonic()
        memory: list[float] = []
        try:
            while not watcher.status():
                time.sleep(0.5)
            while time.monotonic() - begun < minutes * 60:
                memory.append(_rss_mb(watcher))
                disturb(market, watcher, ROUND)
            state = market.ask("state")
            result = settled(market, kafka)
            last = watcher.status()
        finally:
            watcher.stop()
        made = {symbol: truth(symbol, market.ask(f"trades/{symbol}")) for symbol in result.ticks}
        return {
            "minutes": round((time.monotonic() - begun) / 60, 1),
            "trades_per_second": rate,
            "faults": {**state["faults"], "kill_9": watcher.starts - 1},
            **compared(result, made, INTERVALS),
            "halves": state["halves"],
            "dead_letters": len(result.dead),
            "memory_mib_by_quarter": [round(memory[len(memory) * part // 4 - 1]) for part in (1, 2, 3, 4)],
            "skew_ms": last.get("skew_ms"),
        }


def _rss_mb(watcher: Watcher) -> float:
    return psutil.Process(watcher.process.pid).memory_info().rss / 2**20 if watcher.process else 0.0


def main() -> None:
    """Measure and print."""
    from bench.report import save

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=2_000.0)
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="foretick-bench-"))
    try:
        figures = measure(options.minutes, options.rate, home)
        print(json.dumps(figures, indent=2))
        if options.save:
            save("live", f"python -m bench.live --minutes {options.minutes:g}", figures)
    except BaseException:
        log = home / "live.log"
        print(log.read_text()[-3000:] if log.exists() else "nothing was logged")
        raise
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()

"""From the tick that completes a bar to its predictions on the topic: `python -m bench.latency [--zoo] [--save]`.

A stack of its own, as `up` starts it but for the sample, gets the ticks of 20 symbols live: of each a minute a second,
in single records, at the given ticks a second in all. First the bars end one after another, spread over each second;
then those of all symbols at once, as they do at a venue. With --zoo all models serve instead of the default ones;
their fits are short, their forecasts cost as much. CPU is that of the whole second part, by component, in cores. Each
round has a stack of its own; the figures are the medians of the rounds, and the quantiles of each are beside them.
"""

import argparse
import asyncio
import json
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from aiokafka import AIOKafkaConsumer

from bench.replay import FULL, cpu, processes, running
from bench.report import save
from bench.rounds import summary
from broker import clients
from broker.producer import producer
from settings import Settings
from settings.broker import Address
from topics import codec
from topics.catalog import PREDICTIONS, TICKS
from topics.records import Prediction, Tick

MINUTE_MS = 60_000
PATIENCE_S = 30
GRACE_MS = Settings.model_fields["grace_ms"].default
"""The first tick of a minute that is later than this after its begin completes the minute before."""
SYMBOLS = tuple(f"S{number:02d}USDT" for number in range(20))
START = 1_767_225_600_000
WARM_S = 15.0


class UnansweredError(SystemExit):
    """Bars that got no predictions: the stack is behind, or failed."""


def tick(symbol: str, start: int, minute: int, into: int) -> Tick:
    """Return a tick so many milliseconds into a minute after `start` (epoch ms)."""
    price = 100.0 * float(np.exp(0.01 * np.sin(minute / 7.0) + 0.0005 * np.sin(minute * 1.7)))
    return Tick(symbol, start + minute * MINUTE_MS + into, price, 1.0)


@dataclass(kw_only=True)
class Live:
    """Markets of so many trades a minute each, a minute of each in `minute_s` seconds, from `start` (epoch ms) on.

    `together`: the minutes of all begin at the same time, instead of spread over those seconds.
    """

    kafka: Address
    symbols: tuple[str, ...]
    start: int
    trades: int = 1
    minute_s: float = 1.0
    together: bool = False
    minute: int = 0
    sent: dict[tuple[str, int], float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, seconds: float) -> list[float]:
        """Send ticks for so many seconds; return how long each completed bar's predictions took, in milliseconds.

        Raises UnansweredError if some have none yet when nothing has been sent for `PATIENCE_S`.
        """
        self.took, self._answered = [], asyncio.Event()  # which belongs to the loop of this run
        consumer = clients.consumer(self.kafka, PREDICTIONS.name, auto_offset_reset="latest")
        sender = producer(self.kafka, linger_ms=0)
        await consumer.start()
        await sender.start()
        await consumer.seek_to_end()
        listening = asyncio.create_task(self._listen(consumer))
        try:
            await self._send(sender, seconds)
            async with asyncio.timeout(PATIENCE_S):
                await self._answered.wait()
        except TimeoutError:
            raise UnansweredError(
                f"{len(self.sent)} bars without predictions, such as {next(iter(self.sent))}"
            ) from None
        finally:
            listening.cancel()
            await consumer.stop()
            await sender.stop()
        return self.took

    async def _send(self, sender: object, seconds: float) -> None:
        begun, count = time.perf_counter(), 0
        first, rate = self.minute, self.trades * len(self.symbols) / self.minute_s
        while (passed := time.perf_counter() - begun) < seconds:
            due = int(passed * rate)
            while count <= due:
                turn, place = divmod(count, len(self.symbols))
                shift = 0 if self.together else place * self.trades // len(self.symbols)
                minute, number = divmod(turn + shift, self.trades)
                into = int((number + 0.5) * MINUTE_MS / self.trades)
                completes = minute > 0 and into > GRACE_MS >= into - MINUTE_MS // self.trades
                await self._tick(sender, self.symbols[place], first + minute, into, complete=completes)
                count += 1
            await asyncio.sleep(0.002)
        self.minute = first + (count // len(self.symbols) + self.trades) // self.trades + 1

    async def _tick(self, sender: object, symbol: str, minute: int, into: int, complete: bool) -> None:
        if complete:
            self._answered.clear()
            self.sent[symbol, self.start + (minute - 1) * MINUTE_MS] = time.perf_counter()
        value = codec.encode([tick(symbol, self.start, minute, into)])
        await sender.send(TICKS.name, value, key=symbol.encode(), headers=codec.HEADERS)

    async def _listen(self, consumer: AIOKafkaConsumer) -> None:
        async for message in consumer:
            now = time.perf_counter()
            for record in codec.decode(message.value, Prediction).records:
                begun = self.sent.pop((record.symbol, record.time), None)
                if begun is not None:
                    self.took.append(1000 * (now - begun))
            if not self.sent:
                self._answered.set()


def quantiles(took: list[float]) -> dict[str, float]:
    """Return the median, the 99th percentile and the largest, in milliseconds."""
    return {
        name: round(float(np.percentile(took, level)), 1) for name, level in (("p50", 50), ("p99", 99), ("max", 100))
    }


def measure(home: Path, rate: float, seconds: float, models: tuple[str, ...]) -> dict[str, object]:
    """Return the figures of a stack in `home`."""
    environment = {"FORETICK_MODELS": ",".join(models)} if models else {}
    with running(home, FULL, environment):
        live = Live(kafka=Settings(home=home).broker, symbols=SYMBOLS, start=START, trades=round(rate / len(SYMBOLS)))
        asyncio.run(live.run(WARM_S))
        spread = asyncio.run(live.run(seconds))
        live.together = True
        before, begun = {name: cpu(some) for name, some in processes(home, FULL).items()}, time.monotonic()
        together = asyncio.run(live.run(seconds))
        passed = time.monotonic() - begun
        used = {name: cpu(some) - before.get(name, 0.0) for name, some in processes(home, FULL).items()}
    return {
        "ticks_per_second": live.trades * len(SYMBOLS),
        "bars_timed": len(spread) + len(together),
        "milliseconds": quantiles(spread),
        "milliseconds_bars_of_all_symbols_at_once": quantiles(together),
        "cores": {name: round(value / passed, 2) for name, value in used.items()},
    }


def zoo(home: Path) -> tuple[str, ...]:
    """Fit all models on the sample's first part, shortly, for the stack in `home`; return their names."""
    from bench.inference import shorten
    from models.registry.names import NAMES
    from stack import sample

    shorten()
    sample.train(Settings(home=home, models=NAMES))
    return NAMES


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=1_000.0, help="ticks a second, of all symbols")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each of the two")
    parser.add_argument("--zoo", action="store_true", help="serve all models")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    rounds = []
    for _ in range(options.rounds):
        home = Path(tempfile.mkdtemp(prefix="foretick-bench-"))
        try:
            rounds.append(measure(home, options.rate, options.seconds, zoo(home) if options.zoo else ()))
        finally:
            shutil.rmtree(home)
    figures = summary(rounds) | {"rounds": [one["milliseconds"] for one in rounds]}
    print(json.dumps(figures, indent=2))
    if options.save:
        name = "latency_zoo" if options.zoo else "latency"
        words = f"--rate {options.rate:g} --rounds {options.rounds}" + (" --zoo" if options.zoo else "")
        save(name, f"python -m bench.latency {words}", figures)


if __name__ == "__main__":
    main()

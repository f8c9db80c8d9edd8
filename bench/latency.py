"""From the tick that completes a bar to its predictions on the topic, measured while the stream is live."""

import asyncio
import time
from dataclasses import dataclass, field

import numpy as np
from aiokafka import AIOKafkaConsumer

from broker import clients
from broker.producer import producer
from settings.broker import Address
from topics import codec
from topics.catalog import PREDICTIONS, TICKS
from topics.records import Prediction, Tick

MINUTE_MS = 60_000
PATIENCE_S = 30
INTO_MS = 30_000
"""Where in its minute a tick lies: later than the grace after the minute before, which it therefore completes."""


@dataclass(kw_only=True)
class Live:
    """Markets of one trade a minute each, `symbols` minutes a second, from the minute `start` (epoch ms) on."""

    kafka: Address
    symbols: tuple[str, ...]
    start: int
    minute: int = 0
    sent: dict[tuple[str, int], float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, seconds: float) -> list[float]:
        """Send ticks for so many seconds; return how long each completed bar's predictions took, in milliseconds."""
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
            raise SystemExit(f"{len(self.sent)} bars without predictions, such as {next(iter(self.sent))}") from None
        finally:
            listening.cancel()
            await consumer.stop()
            await sender.stop()
        return self.took

    async def _send(self, sender: object, seconds: float) -> None:
        begun, count = time.perf_counter(), 0
        first = self.minute
        while (passed := time.perf_counter() - begun) < seconds:
            due = int(passed * len(self.symbols))
            while count <= due:
                minute, place = first + count // len(self.symbols), count % len(self.symbols)
                await self._tick(sender, self.symbols[place], minute, complete=minute > first)
                count += 1
            await asyncio.sleep(0.002)
        self.minute = first + count // len(self.symbols) + 1

    async def _tick(self, sender: object, symbol: str, minute: int, complete: bool) -> None:
        price = 100.0 * float(np.exp(0.01 * np.sin(minute / 7.0) + 0.0005 * np.sin(minute * 1.7)))
        tick = Tick(symbol, self.start + minute * MINUTE_MS + INTO_MS, price, 1.0)
        if complete:
            self._answered.clear()
            self.sent[symbol, self.start + (minute - 1) * MINUTE_MS] = time.perf_counter()
        await sender.send(TICKS.name, codec.encode([tick]), key=symbol.encode(), headers=codec.HEADERS)

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

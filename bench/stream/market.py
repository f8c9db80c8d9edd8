"""The ticks of a run, what is right about them, and their way onto the topic and back."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, Producer

from bench.stream.work import Job, State, row, step

START = 1_700_000_000_000
EVERY_MS = 10
Tick = dict[str, Any]


def ticks(symbols: int, first: int, count: int) -> Iterator[Tick]:
    """Yield ticks in turns of the symbols; the number `first` is the first of all, so that runs can go on."""
    for number in range(first, first + count):
        symbol, turn = number % symbols, number // symbols
        price = 100.0 + symbol + (turn * 7 + symbol * 13) % 101 / 50
        yield {"symbol": f"S{symbol:02d}USDT", "time": START + turn * EVERY_MS, "price": price, "amount": 1.0}


def right(symbols: int, count: int) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Return what is to be written of each of the first ticks."""
    states: dict[str, State] = {}
    results = {}
    for tick in ticks(symbols, 0, count):
        states[tick["symbol"]], values = step(states.get(tick["symbol"]), tick["price"])
        results[tick["symbol"], tick["time"]] = row(tick, values)
    return results


class Feed:
    """Sends ticks, `rows` of one symbol in a Kafka record, and reads what an engine writes."""

    def __init__(self, job: Job, symbols: int, rows: int = 1) -> None:
        shared = {"bootstrap.servers": job.bootstrap, **job.librdkafka()}
        self._producer = Producer({**shared, "linger.ms": 1, "queue.buffering.max.messages": 2_000_000})
        self._consumer = Consumer(
            {**shared, "group.id": "observer", "auto.offset.reset": "earliest", "fetch.wait.max.ms": 5}
        )
        self._consumer.subscribe([job.sink])
        self._job, self._symbols, self._rows = job, symbols, rows
        self.sent, self.values, self.rows = 0, list[tuple[float, bytes]](), 0

    def send(self, count: int) -> None:
        """Send the next ticks: a multiple of `symbols` times `rows`, so that the records are whole."""
        waiting: dict[str, list[Tick]] = {}
        for tick in ticks(self._symbols, self.sent, count):
            some = waiting.setdefault(tick["symbol"], [])
            some.append(tick)
            if len(some) == self._rows:
                self._produce(tick["symbol"], some)
                some.clear()
        self.sent += count

    def send_at(self, rate: float, seconds: float) -> dict[tuple[str, int], float]:
        """Send single ticks at that rate; return when each was handed over, while what comes back is read."""
        begun, first, times = time.perf_counter(), self.sent, dict[tuple[str, int], float]()
        while (passed := time.perf_counter() - begun) < seconds:
            due = int(passed * rate) - (self.sent - first)
            for tick in ticks(self._symbols, self.sent, max(due, 0)):
                times[tick["symbol"], tick["time"]] = time.perf_counter()
                self._produce(tick["symbol"], [tick])
            self.sent += max(due, 0)
            self.read(0.001)
        return times

    def _produce(self, symbol: str, some: Sequence[Tick]) -> None:
        value = json.dumps(some if len(some) > 1 else some[0]).encode()
        self._producer.produce(self._job.source, value, key=symbol.encode())
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait until all is on the topic."""
        self._producer.flush()

    def read(self, timeout_s: float) -> None:
        """Keep what has come back, and when."""
        for record in self._consumer.consume(10_000, timeout=timeout_s):
            if not record.error():
                self.values.append((time.perf_counter(), record.value()))
                self.rows += record.value().count(b'"symbol"')

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()


def judged(
    values: Sequence[tuple[float, bytes]], expected: Mapping[tuple[str, int], Mapping[str, Any]]
) -> dict[str, int]:
    """Return how many rows were written twice, are wrong, and are missing."""
    seen: dict[tuple[str, int], Any] = {}
    twice = wrong = 0
    for _, value in values:
        rows = json.loads(value)
        for one in rows if isinstance(rows, list) else [rows]:
            key = one["symbol"], one["time"]
            twice += key in seen
            seen[key] = one
    for key, one in seen.items():
        wanted = expected[key]
        wrong += any(abs(one[name] - number) > 1e-9 for name, number in wanted.items() if name != "symbol")
    return {"duplicates": twice, "wrong": wrong, "missing": len(expected.keys() - seen.keys())}


def arrivals(values: Sequence[tuple[float, bytes]]) -> dict[tuple[str, int], float]:
    """Return when each row came first."""
    times: dict[tuple[str, int], float] = {}
    for at, value in values:
        rows = json.loads(value)
        for one in rows if isinstance(rows, list) else [rows]:
            times.setdefault((one["symbol"], one["time"]), at)
    return times

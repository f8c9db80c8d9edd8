"""Sends ticks to an engine, and reads what it writes."""

import time
from collections.abc import Callable

from confluent_kafka import Consumer, Producer

from bench.stream.market import Key, frames, ticks
from bench.stream.work import Job


class Feed:
    """The ticks of `symbols` in turns, from the first on; `values` came back at `times`, with so many `rows` in all."""

    def __init__(self, job: Job, symbols: int) -> None:
        shared = {"bootstrap.servers": job.bootstrap, **job.librdkafka(), "log_level": 3}
        self._producer = Producer({**shared, "linger.ms": 1, "queue.buffering.max.messages": 2_000_000})
        self._consumer = Consumer(
            {**shared, "group.id": f"{job.group}-reader", "auto.offset.reset": "earliest", "fetch.wait.max.ms": 5}
        )
        self._consumer.subscribe([job.sink])
        self._job, self._symbols = job, symbols
        self.sent, self.rows = 0, 0
        # Two lists of what the garbage collector need not look at, instead of one of pairs.
        self.times, self.values = list[float](), list[bytes]()

    def prepared(self, count: int, rows: int) -> Callable[[], None]:
        """Make the records of the next ticks; return what sends them, so that their making is not timed.

        `count` is a multiple of the symbols times `rows`.
        """
        records = list(frames(self._symbols, self.sent, count, rows))

        def send() -> None:
            for key, value in records:
                self._produce(key, value)
            self._producer.flush()
            self.sent += count

        return send

    def send_at(self, rate: float, seconds: float) -> dict[Key, float]:
        """Send single ticks at that rate; return when each was due, while what comes back is read.

        From when it was due: a feed that gets no processor would else not count what it made the tick wait.
        """
        begun, count, due = time.perf_counter(), 0, dict[Key, float]()
        while (passed := time.perf_counter() - begun) < seconds:
            more = int(passed * rate) - count
            for tick, (key, value) in zip(
                ticks(self._symbols, self.sent, more), frames(self._symbols, self.sent, more, 1), strict=True
            ):
                due[tick["symbol"], tick["time"]] = begun + (count + 1) / rate
                count += 1
                self._produce(key, value)
            self.sent += more
            self.read(0.001)
        self._producer.flush()
        return due

    def _produce(self, key: bytes, value: bytes) -> None:
        self._producer.produce(self._job.source, value, key=key)
        self._producer.poll(0)

    def read(self, timeout_s: float) -> None:
        """Keep what has come back, and when."""
        for record in self._consumer.consume(10_000, timeout=timeout_s):
            if not record.error():
                value = record.value()
                self.times.append(time.perf_counter())
                self.values.append(value)
                self.rows += value.count(b'"symbol"')

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

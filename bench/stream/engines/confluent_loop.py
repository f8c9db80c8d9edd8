"""confluent-kafka by hand: consume, compute, produce, flush, commit. A frame of ticks becomes a frame of rows."""

import json
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, Producer

from bench.stream.work import Job, State, step_all, ticks

MOST = 1_000
"""Records that are taken together."""


def run(job: Job, compute: Callable[[bytes], bytes]) -> None:
    """Write what `compute` makes of each record's value, until SIGTERM; what has been written is committed."""
    shared = {"bootstrap.servers": job.bootstrap, **job.librdkafka()}
    consumer = Consumer({**shared, "group.id": job.group, "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    producer = Producer({**shared, "queue.buffering.max.messages": 1_000_000})
    consumer.subscribe([job.source])
    while True:
        # What is there at once: `consume` alone waits until it has as many as asked for, or its timeout has passed.
        records = [consumer.poll(0.1), *consumer.consume(MOST, timeout=0)]
        found: list[Any] = [one for one in records if one is not None and not one.error()]
        for record in found:
            producer.produce(job.sink, compute(record.value()), key=record.key())
        if found:
            producer.flush()
            consumer.commit(asynchronous=True)


def main(job: Job) -> None:
    """Compute the indicators."""
    states: dict[str, State] = {}

    def compute(value: bytes) -> bytes:
        rows = step_all(states, ticks(value))
        return json.dumps(rows if value[:1] == b"[" else rows[0]).encode()

    run(job, compute)


if __name__ == "__main__":
    main(Job.given())

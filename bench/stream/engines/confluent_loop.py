"""confluent-kafka by hand: consume, compute, produce, flush, commit."""

import json

from confluent_kafka import Consumer, Producer

from bench.stream.work import Job, State, row, step, ticks


def main(job: Job) -> None:
    """Run until SIGTERM."""
    shared = {"bootstrap.servers": job.bootstrap, **job.librdkafka()}
    consumer = Consumer({**shared, "group.id": job.group, "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    producer = Producer({**shared, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000})
    consumer.subscribe([job.source])
    states: dict[str, State] = {}
    while True:
        records = consumer.consume(1_000, timeout=0.02)
        for record in records:
            if record.error():
                continue
            for tick in ticks(record.value()):
                states[tick["symbol"]], values = step(states.get(tick["symbol"]), tick["price"])
                producer.produce(job.sink, json.dumps(row(tick, values)).encode(), key=record.key())
        if records:
            producer.flush()
            consumer.commit(asynchronous=False)


if __name__ == "__main__":
    main(Job.given())

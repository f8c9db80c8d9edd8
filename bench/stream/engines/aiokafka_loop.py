"""aiokafka by hand: fetch, compute, send, flush, commit."""

import asyncio
import json

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.stream.work import Job, State, row, step, ticks


async def main(job: Job) -> None:
    """Run until SIGTERM."""
    consumer = AIOKafkaConsumer(
        job.source,
        bootstrap_servers=job.bootstrap,
        group_id=job.group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **job.aiokafka(),
    )
    producer = AIOKafkaProducer(bootstrap_servers=job.bootstrap, linger_ms=5, **job.aiokafka())
    await consumer.start()
    await producer.start()
    states: dict[str, State] = {}
    while True:
        sent = []
        for records in (await consumer.getmany(timeout_ms=100)).values():
            for record in records:
                for tick in ticks(record.value):
                    states[tick["symbol"]], values = step(states.get(tick["symbol"]), tick["price"])
                    value = json.dumps(row(tick, values)).encode()
                    sent.append(await producer.send(job.sink, value, key=record.key))
        if sent:
            await asyncio.gather(*sent)
            await consumer.commit()


if __name__ == "__main__":
    asyncio.run(main(Job.given()))

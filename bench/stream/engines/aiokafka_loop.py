"""aiokafka by hand: fetch, compute, send, flush, commit. A frame of ticks becomes a frame of rows."""

import asyncio
import json

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.stream.work import Job, State, step_all, ticks


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
    producer = AIOKafkaProducer(bootstrap_servers=job.bootstrap, **job.aiokafka())
    await consumer.start()
    await producer.start()
    states: dict[str, State] = {}
    while True:
        sent = []
        for records in (await consumer.getmany(timeout_ms=100)).values():
            for record in records:
                rows = step_all(states, ticks(record.value))
                value = json.dumps(rows if record.value[:1] == b"[" else rows[0]).encode()
                sent.append(await producer.send(job.sink, value, key=record.key))
        if sent:
            await asyncio.gather(*sent)
            await consumer.commit()


if __name__ == "__main__":
    asyncio.run(main(Job.given()))

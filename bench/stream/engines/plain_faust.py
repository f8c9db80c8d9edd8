"""Faust as its documentation has it: an agent, a table, and one event for each record."""

import json
import os
import tempfile
from typing import Any

import faust

from bench.stream.work import Job, row, step, ticks

job = Job.given()
login = faust.SASLCredentials(username=job.user, password=job.password, mechanism=job.mechanism) if job.user else None
app = faust.App(
    job.group,
    broker=f"kafka://{job.bootstrap}",
    broker_credentials=login,
    store="memory://",
    topic_partitions=int(os.environ["PARTITIONS"]),
    topic_disable_leader=True,
    web_enabled=False,
    datadir=tempfile.mkdtemp(prefix="faust-"),
)
states = app.Table("states", default=dict, partitions=int(os.environ["PARTITIONS"]))
source = app.topic(job.source, key_type=str, value_serializer="raw", key_serializer="raw")
sink = app.topic(job.sink, value_serializer="raw", key_serializer="raw")


@app.agent(source)
async def compute(stream: Any) -> None:
    """Compute the indicators of each tick."""
    async for key, value in stream.items():
        for tick in ticks(value):
            states[tick["symbol"]], values = step(states[tick["symbol"]], tick["price"])
            await sink.send(key=key, value=json.dumps(row(tick, values)).encode())


if __name__ == "__main__":
    app.finalize()
    faust.Worker(app, loglevel="WARNING", console_port=0).execute_from_commandline()

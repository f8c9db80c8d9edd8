"""Quix Streams: a streaming data frame with its state store."""

import tempfile
from typing import Any

from quixstreams import Application
from quixstreams.kafka import ConnectionConfig

from bench.stream.work import Job, row, step


def main(job: Job) -> None:
    """Run until SIGTERM."""
    connection = ConnectionConfig(bootstrap_servers=job.bootstrap)
    if job.user:
        connection = ConnectionConfig(
            bootstrap_servers=job.bootstrap,
            security_protocol="sasl_plaintext",
            sasl_mechanism=job.mechanism,
            sasl_username=job.user,
            sasl_password=job.password,
        )
    app = Application(
        connection,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        state_dir=tempfile.mkdtemp(prefix="quix-"),
        loglevel="WARNING",
    )
    source = app.topic(job.source, value_deserializer="json", key_deserializer="bytes")
    sink = app.topic(job.sink, value_serializer="json", key_serializer="bytes")

    def compute(tick: dict[str, Any], state: Any) -> dict[str, Any]:
        known, values = step(state.get("state"), tick["price"])
        state.set("state", known)
        return row(tick, values)

    frame = app.dataframe(source).apply(lambda value: value if isinstance(value, list) else [value], expand=True)
    frame.apply(compute, stateful=True).to_topic(sink)
    app.run()


if __name__ == "__main__":
    main(Job.given())

"""Bytewax: a flow with a stateful map."""

import json
from typing import Any

from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSource
from bytewax.connectors.kafka import operators as kafka
from bytewax.dataflow import Dataflow
from bytewax.testing import cluster_main

from bench.stream.work import Job, State, row, step, ticks


def main(job: Job) -> None:
    """Run until SIGTERM."""
    login = job.librdkafka()
    flow = Dataflow("indicators")
    source = KafkaSource(
        [job.bootstrap], [job.source], tail=True, batch_size=1_000, add_config={**login, "group.id": job.group}
    )
    records = op.input("source", flow, source)
    every = op.flat_map("ticks", records, lambda record: ticks(record.value))
    keyed = op.key_on("symbol", every, lambda tick: str(tick["symbol"]))

    def compute(state: State | None, tick: dict[str, Any]) -> tuple[State, dict[str, Any]]:
        known, values = step(state, tick["price"])
        return known, row(tick, values)

    computed = op.stateful_map("indicators", keyed, compute)
    out = op.map("out", computed, lambda pair: KafkaSinkMessage(pair[0].encode(), json.dumps(pair[1]).encode()))
    kafka.output("sink", out, brokers=[job.bootstrap], topic=job.sink, add_config={**login, "linger.ms": "5"})
    cluster_main(flow, [], 0)


if __name__ == "__main__":
    main(Job.given())

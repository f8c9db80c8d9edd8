"""Pathway: a stateful reducer of each symbol. What it makes of a batch is one record, an array of rows.

Its state holds the rows of the last batch, which is how a reducer gives more than one value; `to_stream` leaves out
that the state before is withdrawn.
"""

import json
from typing import Any

import pathway as pw

from bench.stream.work import Job, State, step_all

EVERY_MS = 5
"""How often a batch begins: it is called autocommit, and 1,500 ms by default. The clients of others wait 5 ms too."""


class Tick(pw.Schema):
    """What is read."""

    symbol: str
    time: int
    price: float


@pw.reducers.stateful_many
def fold(known: tuple[Any, str] | None, batch: list[tuple[list[Any], int]]) -> tuple[Any, str]:
    """Return the state of a symbol after a batch of its ticks, which come in any order, and the batch's rows."""
    found = sorted((time, symbol, price) for (symbol, time, price), _ in batch)
    some = [{"symbol": symbol, "time": time, "price": price} for time, symbol, price in found]
    states: dict[str, State] = {} if known is None else json.loads(known[0])
    rows = step_all(states, some)
    return json.dumps(states), json.dumps(rows)


def main(job: Job) -> None:
    """Run until SIGTERM."""
    login = {"bootstrap.servers": job.bootstrap, **job.librdkafka()}
    reading = {**login, "group.id": job.group, "auto.offset.reset": "earliest"}
    table = pw.io.kafka.read(reading, job.source, schema=Tick, format="json", autocommit_duration_ms=EVERY_MS)
    folded = table.groupby(pw.this.symbol).reduce(
        pw.this.symbol, state=fold(pw.this.symbol, pw.this.time, pw.this.price)
    )
    rows = folded.to_stream().select(pw.this.symbol, value=pw.this.state[1])
    pw.io.kafka.write(rows, login, job.sink, format="plaintext", key=rows.symbol, value=rows.value)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)


if __name__ == "__main__":
    main(Job.given())

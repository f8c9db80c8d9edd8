"""csp: a graph of one node with a state, between its Kafka adapters; each record is a cycle of the engine."""

from datetime import UTC, datetime, timedelta
from typing import Any

import csp
from csp import Struct as KeywordStruct  # csp's takes its fields by keyword alone
from csp import ts
from csp.adapters.kafka import JSONTextMessageMapper, KafkaAdapterManager

from bench.stream.work import Job, State, step


class Tick(KeywordStruct):
    """What is read."""

    symbol: str
    time: int
    price: float


class Row(KeywordStruct):
    """What is written of a tick."""

    symbol: str
    time: int
    ema_12: float
    macd: float
    macd_signal: float
    mean_20: float
    deviation_20: float
    rsi_14: float


@csp.node
def indicators(tick: ts[Tick]) -> ts[Row]:
    """Compute the indicators of each tick."""
    with csp.state():
        s_states: dict[str, State] = {}

    if csp.ticked(tick):
        s_states[tick.symbol], values = step(s_states.get(tick.symbol), tick.price)
        csp.output(Row(symbol=tick.symbol, time=tick.time, **values))


@csp.graph
def graph(job: object) -> None:
    """Connect the topics."""
    manager = KafkaAdapterManager(job.bootstrap, group_id=job.group, rd_kafka_conf_options=job.librdkafka())
    tick: Any = manager.subscribe(Tick, JSONTextMessageMapper(), job.source, push_mode=csp.PushMode.NON_COLLAPSING)
    manager.publish(JSONTextMessageMapper(), job.sink, "symbol", indicators(tick))


if __name__ == "__main__":
    csp.run(graph, Job.given(), starttime=datetime.now(UTC), endtime=timedelta(days=1), realtime=True)

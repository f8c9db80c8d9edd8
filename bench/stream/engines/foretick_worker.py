"""Foretick's worker with one stage: its shell, tables, acknowledgements, dead letters and crash markers."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from bench.stream.work import Job, State, step
from settings import Settings
from stream.app import run
from stream.stage import Output, Part
from stream.worker import make_worker
from topics.catalog import Topic
from topics.records import Tick

DAY_MS = 86_400_000


class Row(Struct, frozen=True, kw_only=True):
    """What is written of a tick."""

    symbol: str
    time: int
    ema_12: float
    macd: float
    macd_signal: float
    mean_20: float
    deviation_20: float
    rsi_14: float


JOB = Job.given()
SOURCE = Topic(name=JOB.source, record=Tick, key="symbol", retention_ms=DAY_MS, open=True)
SINK = Topic(name=JOB.sink, record=Row, key="symbol", retention_ms=DAY_MS)


class TickIndicators:
    """Ticks to their indicators; under the name of the stage whose changelog there is."""

    name = "bars"
    source = SOURCE

    def key(self, record: Tick) -> tuple[str, str]:
        """A tick belongs to its symbol."""
        return record.symbol, "tick"

    def check(self, record: Tick) -> str | None:  # noqa: ARG002 - every tick that could be built can be used
        """Return None: every tick is usable."""
        return None

    def load(self, key: tuple[str, str], state: bytes | None) -> State:  # noqa: ARG002 - the same for every key
        """Return the state from its bytes."""
        known: State = {} if state is None else msgspec.msgpack.decode(state)
        return known

    def dump(self, state: State) -> bytes:
        """Return the state's bytes."""
        return msgspec.msgpack.encode(state)

    def newest(self, state: State) -> int:  # noqa: ARG002 - no time is kept
        """Return that there is no time in the state."""
        return -1

    def step(self, state: State, parts: Sequence[Part[Tick]]) -> tuple[State, list[Output]]:
        """Compute the indicators of each tick."""
        rows: list[Row] = []
        for part in parts:
            for tick in part.records:
                state, values = step(state, tick.price)
                rows.append(Row(symbol=tick.symbol, time=tick.time, **values))
        return state, [(SINK, rows)]


if __name__ == "__main__":
    stage: Any = TickIndicators()
    run(make_worker(Settings(), [stage]))

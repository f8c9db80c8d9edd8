"""What the stream's components count and time, for Prometheus: once a batch, never once a record.

Latencies are from Kafka's own clock: from when the oldest record of a batch, or the tick or bar that it came of, was
appended to its topic until what was made of it is.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from prometheus_client import Counter, Histogram

from broker.origin import Origin
from topics.catalog import DEAD_LETTERS, Topic

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
LONG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

RECORDS_IN = Counter("foretick_records_in", "Records read and used.", ["topic"])
RECORDS_OUT = Counter("foretick_records_out", "Records published.", ["topic"])
DEAD = Counter("foretick_dead_letters", "Parts of frames that could not be read or used.", ["topic"])
REFUSED = Counter("foretick_decisions_refused", "Records on `models` that the ledger did not sign.")
FOLD = Histogram("foretick_fold_seconds", "The computation of one batch.", ["stage"], buckets=QUICK)
LATENCY = Histogram(
    "foretick_latency_seconds",
    "From a tick's arrival until what came of it is in Kafka.",
    ["stage"],
    buckets=LONG,
)
STORE = Histogram("foretick_store_seconds", "One durable transaction.", ["topic"], buckets=QUICK)


class Meter:
    """Counts and times one stage."""

    def __init__(self, stage: str, source: Topic) -> None:
        self._in, self._dead = RECORDS_IN.labels(source.name), DEAD.labels(source.name)
        self._fold, self._latency = FOLD.labels(stage), LATENCY.labels(stage)

    def folded(self, seconds: float, records: int, frames: Iterable[tuple[Topic, str, Sequence[Struct]]]) -> None:
        """Count a batch that was computed."""
        self._fold.observe(seconds)
        self._in.inc(records)
        for topic, _, made in frames:
            if topic is DEAD_LETTERS:
                self._dead.inc(len(made))
            RECORDS_OUT.labels(topic.name).inc(len(made))

    def delivered(self, origin: Origin, at: Iterable[int]) -> None:
        """Time what came of a batch: appended to its topics `at` (epoch ms)."""
        newest = max(at, default=0)
        if origin.arrived is not None and newest > 0:
            self._latency.observe(max(0, newest - origin.arrived) / 1000, exemplar(origin))


def exemplar(origin: Origin) -> dict[str, str] | None:
    """Return the exemplar of a batch's observation: its trace, if it is traced."""
    return {"trace_id": origin.trace_id} if origin.trace_id is not None else None

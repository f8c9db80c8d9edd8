"""Each topic once: what it carries, by what it is keyed, how it is cut and how long it is kept."""

from dataclasses import dataclass

from msgspec import Struct

from topics.records import (
    Alert,
    Bar,
    DeadLetter,
    Deployment,
    Drift,
    Features,
    Gap,
    ModelEvent,
    Outcome,
    Prediction,
    Regime,
    Tick,
)

DAY_MS = 86_400_000
FOREVER = -1
MAX_MESSAGE_BYTES = 4_194_304
GROUP_PREFIX = "foretick-"
"""How our consumer groups and the topics of our states begin; no program of others may be in such a group."""
WORKER_GROUP, PERSIST_GROUP, ALERTS_GROUP = (GROUP_PREFIX + name for name in ("worker", "persist", "alerts"))
"""The consumer groups: the one that computes, the one that stores, the one that watches for alerts."""


@dataclass(frozen=True)
class Topic:
    """A topic: `key` is the record field that is the Kafka key; `retention_ms` is `FOREVER` where nothing expires.

    What is `open` may be written by any program: data. All else tells what the stack did or decided, and is its alone.
    What is not `stored` from its topic repeats another topic's records on their way between two stages, or, the
    deployments, is in the database before it is published.
    """

    name: str
    record: type[Struct]
    key: str
    retention_ms: int
    partitions: int = 4
    compacted: bool = False
    stored: bool = True
    open: bool = False

    def config(self) -> dict[str, str]:
        """Return the topic's Kafka settings."""
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
            # History is replayed: Kafka must keep a record by its arrival, not by the years-old time of its event.
            "message.timestamp.type": "LogAppendTime",
            "segment.bytes": "134217728",
        }


TICKS = Topic("ticks", Tick, key="symbol", retention_ms=7 * DAY_MS, open=True)
GAPS = Topic("gaps", Gap, key="symbol", retention_ms=30 * DAY_MS, partitions=1)
BARS = Topic("bars", Bar, key="symbol", retention_ms=30 * DAY_MS, open=True)
CROSS_SECTION = Topic("cross-section", Bar, key="symbol", retention_ms=7 * DAY_MS, partitions=1, stored=False)
MARKET_BARS = Topic("market-bars", Bar, key="symbol", retention_ms=7 * DAY_MS, stored=False)
FEATURES = Topic("features", Features, key="symbol", retention_ms=7 * DAY_MS, open=True)
REGIMES = Topic("regimes", Regime, key="symbol", retention_ms=7 * DAY_MS)
PREDICTIONS = Topic("predictions", Prediction, key="symbol", retention_ms=7 * DAY_MS, open=True)
OUTCOMES = Topic("outcomes", Outcome, key="symbol", retention_ms=7 * DAY_MS)
ALERTS = Topic("alerts", Alert, key="symbol", retention_ms=30 * DAY_MS)
MODELS = Topic("models", Deployment, key="model", retention_ms=FOREVER, partitions=1, compacted=True, stored=False)
MODEL_EVENTS = Topic("model-events", ModelEvent, key="model", retention_ms=30 * DAY_MS, partitions=1)
DRIFT = Topic("drift", Drift, key="model", retention_ms=30 * DAY_MS, partitions=1)
DEAD_LETTERS = Topic("dead-letters", DeadLetter, key="topic", retention_ms=30 * DAY_MS, partitions=1)

TOPICS: tuple[Topic, ...] = (
    TICKS,
    GAPS,
    BARS,
    CROSS_SECTION,
    MARKET_BARS,
    FEATURES,
    REGIMES,
    PREDICTIONS,
    OUTCOMES,
    ALERTS,
    MODELS,
    MODEL_EVENTS,
    DRIFT,
    DEAD_LETTERS,
)
STORED = tuple(topic for topic in TOPICS if topic.stored)
READ_BY_WORKER = (TICKS, BARS, FEATURES, PREDICTIONS)
"""The topics that the worker computes from."""
READ_FOR_UNIVERSE = (CROSS_SECTION, MARKET_BARS)
"""Those that it computes from besides, where a universe is set."""
READ_FOR_ALERTS = (GAPS, REGIMES, PREDICTIONS, OUTCOMES, MODEL_EVENTS, DRIFT)
"""Those that the rules of alerts look at."""


def by_name(name: str) -> Topic:
    """Return the topic of that name.

    Raises ValueError that names the known topics.
    """
    for topic in TOPICS:
        if topic.name == name:
            return topic
    raise ValueError(f"no topic {name!r}; the topics are {', '.join(topic.name for topic in TOPICS)}")

"""The topics: record, key, partitions and retention of each."""

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
from topics.suggestions import unknown

DAY_MS = 86_400_000
FOREVER = -1
MAX_MESSAGE_BYTES = 4_194_304
GROUP_PREFIX = "foretick-"
"""The prefix of our consumer groups and of the topics of our states; other programs may not join such a group."""
WORKER_GROUP, PERSIST_GROUP, ALERTS_GROUP = (GROUP_PREFIX + name for name in ("worker", "persist", "alerts"))
"""The consumer groups: those of the worker, of persist and of the alerts."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A topic: `key` is the record field that is the Kafka key; `retention_ms` is `FOREVER` if nothing expires.

    An `open` topic carries data, which any program may write. The others carry the stack's own results and decisions,
    which only it may write. A topic that is not `stored` repeats another topic's records between two stages, or carries
    deployments, which are in the database before they are published.
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
            # Replays send old records: Kafka must apply retention to the time of arrival, not to the event time.
            "message.timestamp.type": "LogAppendTime",
            "segment.bytes": "134217728",
        }


TICKS = Topic(name="ticks", record=Tick, key="symbol", retention_ms=7 * DAY_MS, open=True)
GAPS = Topic(name="gaps", record=Gap, key="symbol", retention_ms=30 * DAY_MS, partitions=1)
BARS = Topic(name="bars", record=Bar, key="symbol", retention_ms=30 * DAY_MS, open=True)
CROSS_SECTION = Topic(
    name="cross-section", record=Bar, key="symbol", retention_ms=7 * DAY_MS, partitions=1, stored=False
)
MARKET_BARS = Topic(name="market-bars", record=Bar, key="symbol", retention_ms=7 * DAY_MS, stored=False)
FEATURES = Topic(name="features", record=Features, key="symbol", retention_ms=7 * DAY_MS, open=True)
REGIMES = Topic(name="regimes", record=Regime, key="symbol", retention_ms=7 * DAY_MS)
PREDICTIONS = Topic(name="predictions", record=Prediction, key="symbol", retention_ms=7 * DAY_MS, open=True)
OUTCOMES = Topic(name="outcomes", record=Outcome, key="symbol", retention_ms=7 * DAY_MS)
ALERTS = Topic(name="alerts", record=Alert, key="symbol", retention_ms=30 * DAY_MS)
MODELS = Topic(
    name="models", record=Deployment, key="model", retention_ms=FOREVER, partitions=1, compacted=True, stored=False
)
MODEL_EVENTS = Topic(name="model-events", record=ModelEvent, key="model", retention_ms=30 * DAY_MS, partitions=1)
DRIFT = Topic(name="drift", record=Drift, key="model", retention_ms=30 * DAY_MS, partitions=1)
DEAD_LETTERS = Topic(name="dead-letters", record=DeadLetter, key="topic", retention_ms=30 * DAY_MS, partitions=1)

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
"""The topics that the worker reads."""
READ_FOR_UNIVERSE = (CROSS_SECTION, MARKET_BARS)
"""Those that it also reads if a universe is set."""
READ_FOR_ALERTS = (GAPS, REGIMES, PREDICTIONS, OUTCOMES, MODEL_EVENTS, DRIFT)
"""Those that the rules of alerts read."""


def by_name(name: str) -> Topic:
    """Return the topic of that name.

    Raises a ValueError that names the nearest one, or all.
    """
    for topic in TOPICS:
        if topic.name == name:
            return topic
    raise ValueError(unknown("topic", name, [topic.name for topic in TOPICS]))

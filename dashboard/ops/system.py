"""Reads the components: their conditions, their logs, and what their metrics say of throughput and latency."""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from observability.scrape import Reading, buckets, by_label, increase, quantile, scrape
from settings import Settings
from stack import conditions, state
from stack.log_tail import recent
from stack.status_report import ComponentReport, of

LEVELS = (0.5, 0.95, 0.99)
RATE_S, LATENCY_S = 60.0, 300.0
"""Over how many seconds rates and quantiles are, once the page has been read for so long."""
LEAST_RATE_S, LEAST_LATENCY_S = 1.0, 60.0
"""Over fewer seconds there is no rate; quantiles are then since each process began: a few values say little of them."""
LOG_LINES, LOG_BYTES, LINE = 100, 131_072, 500
HISTOGRAMS = {
    "foretick_latency_seconds": "stage",
    "foretick_fold_seconds": "stage",
    "foretick_store_seconds": "topic",
    "foretick_api_seconds": "path",
}
"""The histograms that are shown, and the label of their lines."""
COUNTERS = ("foretick_records_in", "foretick_records_out", "foretick_dead_letters")
FAMILIES = (*HISTOGRAMS, *COUNTERS)
ASK_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Latency:
    """The quantiles of one line of a histogram in seconds: None where nothing was observed, inf above its last bound.

    `count` is how many observations they are of.
    """

    histogram: str
    of: str
    quantiles: tuple[float | None, ...]
    count: float


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Records per second of a topic: read, published, and made into dead letters; None while no span is known."""

    topic: str
    read: float | None
    published: float | None
    dead: float | None


@dataclass(frozen=True, kw_only=True)
class System:
    """The components as they are. `rate_s` and `latency_s` are the spans of the figures in seconds; None is since each
    process began. `silent` are the components whose metrics do not answer.
    """

    supervised: bool
    components: Mapping[str, ComponentReport]
    log: tuple[str, ...] | None
    throughput: tuple[Throughput, ...]
    rate_s: float | None
    latencies: tuple[Latency, ...]
    latency_s: float | None
    measured: tuple[str, ...]
    silent: tuple[str, ...]


@dataclass
class SystemSource:
    """Keeps the readings of the last minutes, of which rates are the differences."""

    settings: Settings
    pool: ThreadPoolExecutor
    readings: deque[tuple[float, Mapping[str, Reading]]] = field(default_factory=deque)

    def read(self, log: str | None) -> System:
        """Read everything; `log` is the component whose log is shown."""
        current = state.read(self.settings.home)
        running = current is not None and current.running()
        words = conditions.now(self.settings, current)
        components = current.components.items() if current is not None else ()
        now, newest = self._scraped()
        rate_s, grown = self._since(now, newest, RATE_S, LEAST_RATE_S)
        latency_s, observed = self._since(now, newest, LATENCY_S, LEAST_LATENCY_S)
        return System(
            supervised=running,
            components={name: of(one, running, words.get(name)) for name, one in components if not one.once},
            log=None if log is None else read_log(self.settings.home, log),
            throughput=throughput(grown, rate_s),
            rate_s=rate_s,
            latencies=latencies(observed),
            latency_s=latency_s,
            measured=tuple(newest),
            silent=tuple(name for name in self.settings.metrics_ports if name not in newest),
        )

    def _scraped(self) -> tuple[float, Mapping[str, Reading]]:
        """Read the metrics of each component, and forget old ones. The newest of them that is older than the longest
        span is kept: the span is from there."""
        ports = self.settings.metrics_ports
        answers = self.pool.map(lambda port: scrape(port, FAMILIES, ASK_S), ports.values())
        newest = {name: answer for name, answer in zip(ports, answers, strict=True) if answer is not None}
        now = time.monotonic()
        self.readings.append((now, newest))
        while len(self.readings) > 2 and now - self.readings[1][0] >= LATENCY_S:
            self.readings.popleft()
        return now, newest

    def _since(
        self, now: float, newest: Mapping[str, Reading], span_s: float, least_s: float
    ) -> tuple[float | None, Reading]:
        """Return how long ago the reading was with which the newest is compared, and what was counted since.

        Without one that is old enough, None and what each process has counted since it began.
        """
        earlier = [(at, reading) for at, reading in self.readings if now - at >= least_s]
        if not earlier:
            return None, summed(newest)
        at, old = next((one for one in reversed(earlier) if now - one[0] >= span_s), earlier[0])
        return now - at, summed({name: increase(one, old.get(name, one)) for name, one in newest.items()})


@contextmanager
def system(settings: Settings) -> Iterator[SystemSource]:
    """Give the source of readings."""
    with ThreadPoolExecutor(8, thread_name_prefix="scrape") as pool:
        yield SystemSource(settings, pool)


def summed(readings: Mapping[str, Reading]) -> Reading:
    """Return the sums over the components."""
    sums: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for reading in readings.values():
        for key, value in reading.items():
            sums[key] = sums.get(key, 0.0) + value
    return sums


def throughput(grown: Reading, span_s: float | None) -> tuple[Throughput, ...]:
    """Return the rates by topic, of what was counted in so many seconds."""
    read, published, dead = (by_label(grown, f"{name}_total", "topic") for name in COUNTERS)

    def rate(counted: Mapping[str, float], topic: str) -> float | None:
        return counted[topic] / span_s if span_s and topic in counted else None

    return tuple(
        Throughput(topic=topic, read=rate(read, topic), published=rate(published, topic), dead=rate(dead, topic))
        for topic in sorted({*read, *published, *dead})
    )


def latencies(observed: Reading) -> tuple[Latency, ...]:
    """Return the quantiles of each histogram's lines; those without any observation are left out."""
    return tuple(
        Latency(
            histogram=histogram,
            of=line,
            quantiles=tuple(quantile(level, cumulative) for level in LEVELS),
            count=cumulative[-1][1],
        )
        for histogram, label in HISTOGRAMS.items()
        for line, cumulative in sorted(buckets(observed, histogram, label).items())
        if cumulative[-1][1] > 0
    )


def read_log(home: Path, name: str) -> tuple[str, ...] | None:
    """Return the last lines of a component's log, each cut to `LINE` characters; None if it has none here."""
    try:
        return tuple(line[:LINE] for line in recent(home / "logs" / f"{Path(name).name}.log", LOG_LINES, LOG_BYTES))
    except OSError:
        return None

"""A venue's status as metrics for Prometheus."""

import time
from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sources.live.status import Status, SymbolStatus

COUNTERS: dict[str, tuple[str, Callable[[SymbolStatus], float]]] = {
    "trades": ("Trades sent.", lambda each: each.trades),
    "repaired_trades": ("Of these, fetched after a gap.", lambda each: each.repaired),
    "duplicates": ("Repeated trades.", lambda each: each.duplicates),
    "gaps": ("Holes that could not be filled.", lambda each: each.gaps),
    "reconnects": ("Connections lost.", lambda each: each.reconnects),
}
OF_SYMBOL = ["venue", "symbol"]


class VenueCollector(Collector):
    """The series of a venue; none while there is no status yet. Counts are since its process, or its Kafka, came."""

    def __init__(self, status: Callable[[], Status | None]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of the status."""
        status = self._status()
        if status is None:
            return
        for name, (says, of) in COUNTERS.items():
            counter = CounterMetricFamily(f"foretick_live_{name}", says, labels=OF_SYMBOL)
            for each in status.symbols:
                counter.add_metric([status.venue, each.symbol], of(each))
            yield counter
        yield dead_letters(status)
        yield from gauges(status, time.time() * 1_000)


def dead_letters(status: Status) -> Metric:
    """Return the dead letters, under the other components' metric name."""
    dead = CounterMetricFamily(
        "foretick_dead_letters", "Trades and messages that could not be read or used.", labels=["topic", "symbol"]
    )
    topic = f"live/{status.venue}"
    dead.add_metric([topic, ""], status.unreadable)
    for each in status.symbols:
        dead.add_metric([topic, each.symbol], each.dead)
    return dead


def gauges(status: Status, now: float) -> Iterator[Metric]:
    """Yield how it is at `now` (epoch ms). Where nothing came yet, it is silent since it began to listen."""
    waiting = GaugeMetricFamily("foretick_live_waiting_trades", "Trades waiting for missing ones.", labels=OF_SYMBOL)
    trades = GaugeMetricFamily("foretick_live_trade_silence_seconds", "Seconds since the last trade.", labels=OF_SYMBOL)
    for each in status.symbols:
        labels = [status.venue, each.symbol]
        waiting.add_metric(labels, each.waiting)
        came = each.since if each.last_time is None else each.last_time + (each.age_ms or 0.0)
        trades.add_metric(labels, max(0.0, now - came) / 1_000)
    messages = GaugeMetricFamily(
        "foretick_live_message_silence_seconds", "Seconds since the last message.", labels=["venue"]
    )
    heard = status.since if status.heard is None else status.heard
    messages.add_metric([status.venue], max(0.0, now - heard) / 1_000)
    skew = GaugeMetricFamily("foretick_live_clock_skew_seconds", "The venue's clock ahead of ours.", labels=["venue"])
    if status.skew_ms is not None:
        skew.add_metric([status.venue], status.skew_ms / 1_000)
    yield from (waiting, trades, messages, skew)

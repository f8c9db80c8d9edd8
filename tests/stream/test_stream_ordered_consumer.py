"""The partitions of a topic are read in the order of arrival, whatever is fetched first, and nothing is lost by it."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from stream.ordered_consumer import InOrderConsumer

BARS = [TP("bars", partition) for partition in range(3)]
OTHER = TP("features", 0)


class Fed(InOrderConsumer):
    """The consumer without Kafka: `log` is what the broker holds; a fetch gives what is asked for, as it likes."""

    def __init__(self, log: dict[TP, list[float]]) -> None:
        self._topics, self._held = frozenset({"bars"}), defaultdict(lambda: defaultdict(deque))
        self.log_of, self.fetched, self.scheduler = log, dict.fromkeys(log, 0), DefaultSchedulingStrategy()
        self.app: Any = SimpleNamespace(
            in_order=self._topics,
            consumer_generation_id=1,
            monitor=SimpleNamespace(track_tp_end_offset=lambda *_: None),
        )
        self._stopped: Any = SimpleNamespace(is_set=lambda: False)
        self._crashed: Any = self._stopped
        self._buffered_partitions = set()
        self.flow_active = True
        self.sizes: Iterator[int] = iter(())

    def __del__(self) -> None:
        """Nothing to close: nothing was started."""

    def assignment(self) -> set[TP]:
        return set(self.log_of)

    def highwater(self, tp: TP) -> int:
        return len(self.log_of[tp])

    def _unread(self, tp: TP, ends: Mapping[TP, int]) -> bool:
        return tp not in ends or self.fetched[tp] < ends[tp]

    async def _ends(self, partitions: list[TP]) -> Mapping[TP, int]:
        return {tp: len(self.log_of[tp]) for tp in partitions}

    def _to_message(self, tp: TP, record: Any) -> Any:  # noqa: ARG002 - Faust's
        return record

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ARG002, ASYNC109 - Faust's
        left = next(self.sizes, 50)
        records = {}
        for tp in [tp for tp, times in self.log_of.items() if self.fetched[tp] < len(times)]:
            start, size = self.fetched[tp], min(left, len(self.log_of[tp]) - self.fetched[tp])
            rows = self.log_of[tp][start : start + size]
            records[tp] = [
                SimpleNamespace(tp=tp, partition=tp.partition, offset=start + k, timestamp=at, generation_id=1)
                for k, at in enumerate(rows)
            ]
            self.fetched[tp] += size
            left -= size
            if not left:
                break
        return records, None


def read(consumer: Fed, times: int = 400) -> list[Any]:
    async def every() -> list[Any]:
        return [message for _ in range(times) async for _, message in consumer.getmany(1.0)]

    return asyncio.run(every())


@given(st.lists(st.lists(st.integers(0, 50), max_size=30).map(sorted), min_size=3, max_size=3), st.data())
def test_what_was_at_the_broker_is_read_in_order_of_arrival(arrivals: list[list[int]], data: st.DataObject) -> None:
    log = {tp: [float(at) for at in times] for tp, times in zip(BARS, arrivals, strict=True)}
    consumer = Fed({**log, OTHER: [9.0, 8.0]})
    consumer.sizes = iter(data.draw(st.lists(st.integers(1, 8), max_size=40)))
    results = read(consumer)
    own = [message for message in results if message.tp != OTHER]
    assert [message.timestamp for message in own] == sorted(at for times in log.values() for at in times)
    assert [message.timestamp for message in results if message.tp == OTHER] == [9.0, 8.0]
    for tp in BARS:
        assert [message.offset for message in own if message.tp == tp] == list(range(len(log[tp])))


def test_a_partition_with_nothing_to_read_holds_nothing_up() -> None:
    consumer = Fed({BARS[0]: [1.0, 2.0], BARS[1]: []})
    assert [message.timestamp for message in read(consumer, 1)] == [1.0, 2.0]


def test_what_is_held_while_the_flow_stops_or_from_before_a_rebalance_is_read_again_not_given_on() -> None:
    consumer = Fed({BARS[0]: [1.0, 2.0], BARS[1]: [1.5]})
    consumer.sizes = iter([2, 1])
    assert read(consumer, 1) == []
    consumer.app.consumer_generation_id = 2
    assert read(consumer, 1) == []
    assert not any(queue for queues in consumer._held.values() for queue in queues.values())


def test_what_comes_again_after_a_seek_takes_the_place_of_what_is_held() -> None:
    consumer = Fed({BARS[0]: [1.0, 2.0], BARS[1]: [3.0]})
    consumer.sizes = iter([2])
    assert read(consumer, 1) == []
    consumer.fetched[BARS[0]] = 0
    assert [(message.partition, message.offset) for message in read(consumer)] == [(0, 0), (0, 1), (1, 0)]

"""What came of an exchange's trades: which are on `ticks` once, twice or never, and what bars they make."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from aiokafka import TopicPartition

from broker.reader import between, reader
from features import bars
from settings.broker import Address
from topics import codec
from topics.catalog import DEAD_LETTERS, GAPS, TICKS, Topic
from topics.records import Bar, DeadLetter, Gap, Tick
from topics.units import interval_ms

GRACE_MS = 2_000


@dataclass
class Found:
    """What lies on the topics: ticks of each symbol in their order, gaps, dead letters."""

    ticks: dict[str, list[Tick]] = field(default_factory=dict)
    gaps: dict[str, list[Gap]] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)


def read(kafka: Address) -> Found:
    """Return all that is on the topics."""
    return asyncio.run(_read(kafka))


async def _read(kafka: Address) -> Found:
    result = Found()
    ticks, gaps = defaultdict(list), defaultdict(list)
    for record in await _all(kafka, TICKS):
        ticks[record.symbol].append(record)
    for record in await _all(kafka, GAPS):
        gaps[record.symbol].append(record)
    result.ticks, result.gaps, result.dead = dict(ticks), dict(gaps), await _all(kafka, DEAD_LETTERS)
    return result


async def _all(kafka: Address, topic: Topic) -> list[Any]:
    async with reader(kafka) as consumer:
        partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        ends = await consumer.end_offsets(partitions)
        records: list[Any] = []
        async for message in between(consumer, dict.fromkeys(partitions, 0), ends):
            frame = codec.decode(message.value, topic.record, message.headers)
            if frame.rejected:
                raise AssertionError(f"{topic.name}: {frame.rejected[0].reason}")
            records += frame.records
        return records


def truth(symbol: str, text: str) -> list[Tick]:
    """Return an exchange's own list of its trades as ticks."""
    made = []
    for line in text.splitlines():
        number, time, price, amount, maker = line.split(",")
        side = "sell" if maker == "1" else "buy"
        made.append(Tick(symbol, int(time), float(price), float(amount), side, number, "binance"))
    return made


def compared(result: Found, made: Mapping[str, Sequence[Tick]], intervals: Sequence[str]) -> dict[str, Any]:
    """Return the figures: every trade from the first watched on is on the topic once, or in a gap; and the bars."""
    figures: Counter[str] = Counter()
    for symbol, trades in made.items():
        ticks, gaps = result.ticks[symbol], result.gaps.get(symbol, [])
        times = Counter(int(tick.trade_id or 0) for tick in ticks)
        true = {int(trade.trade_id or 0): trade for trade in trades}
        first = int(ticks[0].trade_id or 0)
        covered = {n for gap in gaps for n in range(int(gap.after_id or 0) + 1, int(gap.before_id or 0))}
        ids = [int(tick.trade_id or 0) for tick in ticks]
        figures["trades"] += len([number for number in true if number >= first])
        figures["once"] += sum(count == 1 for count in times.values())
        figures["twice"] += sum(count > 1 for count in times.values())
        figures["in a gap"] += sum(number in covered and number not in times for number in true)
        figures["lost"] += sum(n >= first and n not in times and n not in covered for n in true)
        figures["out of order"] += sum(after < before for before, after in pairwise(ids))
        figures["wrong"] += sum(_differ(tick, true.get(int(tick.trade_id or 0))) for tick in ticks)
        figures["repaired"] += sum(tick.repaired for tick in ticks)
        figures["gaps"] += len(gaps)
        for interval in intervals:
            want = folded([trade for number, trade in true.items() if number >= first], interval)
            have = folded(ticks, interval)
            size = interval_ms(interval)
            # A bar that touches a gap lacks trades; and the one after counts the intervals in between.
            clear = [time for time in want if not any(g.start - size < time <= g.end + size for g in gaps)]
            figures[f"{interval} bars"] += len(want)
            figures[f"{interval} bars compared"] += len(clear)
            figures[f"{interval} bars different"] += sum(want[time] != have.get(time) for time in clear)
            figures[f"{interval} bars too many"] += len(have.keys() - want.keys())
    return {name.replace(" ", "_"): count for name, count in figures.items()}


def _differ(tick: Tick, true: Tick | None) -> bool:
    fields = ("symbol", "time", "price", "amount", "side", "venue")
    return true is None or any(getattr(tick, name) != getattr(true, name) for name in fields)


def folded(ticks: Iterable[Tick], interval: str) -> dict[int, Bar]:
    """Return the bars of ticks in their order, by time, as the stream's fold makes them."""
    _, closed, late = bars.step(bars.initial(), list(ticks), 0, interval, GRACE_MS)
    if late:
        raise AssertionError(f"{len(late)} trades came too late for their {interval} bars: {late[0].reason}")
    return {bar.time: bar for bar in closed}

"""Redis: the newest price, regime and champions' predictions of each symbol, for readers that cannot wait for a query.

``foretick:latest:{symbol}:price`` is JSON with `time` (of the tick, or the end of the bar) and `price`;
``foretick:latest:{symbol}:regime`` and ``foretick:latest:{symbol}:prediction:{model}`` are records as on the topics.
It is a cache: a Redis that is full, read-only or away only has outdated values meanwhile. Records on bars that are not
cut by time are not stored here: the end of such a bar is unknown.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import TypeVar, cast

import redis.asyncio as redis
from msgspec import Struct
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from storage.errors import StorageError, place, reason
from topics.catalog import BARS, PREDICTIONS, REGIMES, TICKS, Topic
from topics.codec import encode_one
from topics.records import Bar, Prediction, Regime, Tick
from topics.units import interval_ms, is_time

log = logging.getLogger("foretick")

PREFIX = "foretick:latest"
AGAIN_S = 1.0
"""The time between two attempts at a Redis that refuses values."""
ANSWER_S = 2.0
"""The timeout of Redis, for which writers wait."""
KEYS = 10_000
"""The number of keys whose newest value is kept in memory, to be written again; the least recently changed are dropped
first."""
AT_ONCE = 500
"""Keys in one round trip."""

# A repeated record must not replace a newer one. Comparing and setting in one script ensures this between several
# writers too. A foreign value of any type without a time is replaced.
FORWARD = """
for i, key in ipairs(KEYS) do
    local value = redis.pcall('GET', key)
    local read, old = pcall(cjson.decode, type(value) == 'string' and value or 'null')
    local time = read and type(old) == 'table' and tonumber(old['time'])
    if not time or time <= tonumber(ARGV[2 * i - 1]) then
        redis.call('SET', key, ARGV[2 * i])
    end
end
"""


class Price(Struct, frozen=True):
    """The newest price of a symbol, and when it was known in epoch ms."""

    time: int
    price: float


Timed = TypeVar("Timed", Tick, Bar, Regime, Prediction)


def _last(records: Sequence[Struct], kind: type[Timed], *fields: str) -> list[Timed]:  # noqa: ARG001 - for its type
    """Return the newest of the records that are alike in these fields; bars that are not cut by time are left out."""
    last: dict[tuple[str, ...], Timed] = {}
    key: Callable[[Timed], tuple[str, ...]] = attrgetter("symbol", *fields)
    for record in cast(Sequence[Timed], records):
        place = key(record)
        known = last.get(place)
        if known is None or known.time <= record.time:
            last[place] = record
    return [record for record in last.values() if isinstance(record, Tick) or is_time(record.interval)]


class LatestCache:
    """Keeps the newest record of each symbol; its event time only ever goes forward.

    `problem` is why Redis refuses values, None if it accepts them: each change is logged, and never raised. The newest
    values are kept in memory, and `run` writes them as soon as Redis accepts them again.
    """

    def __init__(self, url: str) -> None:
        self._where = place(url)
        self.problem: str | None = None
        self._newest: dict[str, Price | Regime | Prediction] = {}
        try:
            self._client = redis.Redis.from_url(
                url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, retry=Retry(NoBackoff(), 1)
            )
        except ValueError:
            raise StorageError(f"{self._where} is not an address of a Redis server") from None
        self._forward = self._client.register_script(FORWARD)

    async def write(self, records: Mapping[Topic, Sequence[Struct]]) -> None:
        """Set values newer than the present ones, in one round trip; while Redis refuses, only keep them in memory."""
        values = newest(records)
        for key, record in values.items():
            known = self._newest.pop(key, None)
            self._newest[key] = record if known is None or known.time <= record.time else known
        while len(self._newest) > KEYS:
            del self._newest[next(iter(self._newest))]
        if values and self.problem is None:
            await self._put(values)

    async def run(self) -> None:
        """For ever, write the kept values when Redis accepts them again."""
        while True:
            await asyncio.sleep(AGAIN_S)
            if self.problem is None:
                continue
            # All of them: a server that went down may also have lost its last writes.
            known = dict(self._newest)
            await self._put(known)
            if self.problem is None:
                await self._put({key: record for key, record in self._newest.items() if known.get(key) is not record})

    async def _put(self, values: Mapping[str, Price | Regime | Prediction]) -> None:
        """Set values, and record a failure or recovery."""
        items = iter(values.items())
        try:
            while some := list(islice(items, AT_ONCE)):
                arguments = [part for _, record in some for part in (record.time, encode_one(record))]
                await self._forward(keys=[f"{PREFIX}:{key}" for key, _ in some], args=arguments)
        except (RedisError, OSError) as error:
            if self.problem is None:
                log.warning("%s accepts no values, and its present ones are outdated: %s", self._where, reason(error))
            self.problem = f"{self._where} accepts no values: {reason(error)}"
        else:
            if self.problem is not None:
                log.info("%s accepts values again", self._where)
            self.problem = None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def newest(records: Mapping[Topic, Sequence[Struct]]) -> dict[str, Price | Regime | Prediction]:
    """Return the newest record of each key (without the prefix), of those records that have a place in Redis."""
    values: dict[tuple[str, ...], Price | Regime | Prediction] = {}

    def offer(key: tuple[str, ...], time: int, record: Price | Regime | Prediction) -> None:
        if key not in values or values[key].time <= time:
            values[key] = record

    for tick in _last(records.get(TICKS, ()), Tick, "venue"):
        offer((tick.symbol, "price"), tick.time, Price(tick.time, tick.price))
    for bar in _last(records.get(BARS, ()), Bar, "interval"):
        end = bar.time + interval_ms(bar.interval)
        offer((bar.symbol, "price"), end, Price(end, bar.close))
    for regime in _last(records.get(REGIMES, ()), Regime, "interval"):
        offer((regime.symbol, "regime"), regime.time, regime)
    for prediction in _last(records.get(PREDICTIONS, ()), Prediction, "interval", "model", "role"):
        if prediction.role != "champion":
            continue
        offer((prediction.symbol, "prediction", prediction.model), prediction.time, prediction)
    return {":".join(key): record for key, record in values.items()}

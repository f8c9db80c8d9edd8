"""Redis: the newest price, regime and champions' predictions of each symbol, for readers that cannot wait for a query.

``foretick:latest:{symbol}:price`` is JSON with `time` (of the tick, or the end of the bar) and `price`;
``foretick:latest:{symbol}:regime`` and ``foretick:latest:{symbol}:prediction:{model}`` are records as on the topics.
It is a cache: a Redis that is full, read-only or away costs nothing but what is old in it meanwhile.
What is said of bars that are not cut by time has no place here: when such a bar ended is not known.
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
"""The time between two attempts at a Redis that takes nothing."""
ANSWER_S = 2.0
"""How long Redis may take to answer: whoever writes waits for it."""
KEYS = 10_000
"""Of so many keys the newest value is kept, to be put there again; what changed longest ago is forgotten first."""
AT_ONCE = 500
"""Keys in one round trip."""

# A record that comes again after a newer one must not take its place. Comparing and setting in one script makes that
# hold between several writers too. A value that someone else put there, of any type, and that has no time is replaced.
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


class Latest:
    """Keeps the newest record of each symbol; its event time only ever goes forward.

    `problem` is why Redis takes nothing, None where it takes what it is given: each change is logged, and never raised.
    The newest values are kept in memory, and `run` puts them there as soon as Redis takes them again.
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
            raise StorageError(f"{self._where} is no address of a Redis server") from None
        self._forward = self._client.register_script(FORWARD)

    async def write(self, records: Mapping[Topic, Sequence[Struct]]) -> None:
        """Set what is newer than what is there, in one round trip; while Redis takes nothing, only remember it."""
        found = newest(records)
        for key, record in found.items():
            known = self._newest.pop(key, None)
            self._newest[key] = record if known is None or known.time <= record.time else known
        while len(self._newest) > KEYS:
            del self._newest[next(iter(self._newest))]
        if found and self.problem is None:
            await self._put(found)

    async def run(self) -> None:
        """For ever, put what is remembered there when Redis takes it again."""
        while True:
            await asyncio.sleep(AGAIN_S)
            if self.problem is None:
                continue
            # All of them: a server that went down may also have forgotten what it had taken just before.
            known = dict(self._newest)
            await self._put(known)
            if self.problem is None:
                await self._put({key: record for key, record in self._newest.items() if known.get(key) is not record})

    async def _put(self, found: Mapping[str, Price | Regime | Prediction]) -> None:
        """Set values, and say where that comes to nothing, or does again."""
        items = iter(found.items())
        try:
            while some := list(islice(items, AT_ONCE)):
                arguments = [part for _, record in some for part in (record.time, encode_one(record))]
                await self._forward(keys=[f"{PREFIX}:{key}" for key, _ in some], args=arguments)
        except (RedisError, OSError) as error:
            if self.problem is None:
                log.warning("%s takes nothing, its values grow old: %s", self._where, reason(error))
            self.problem = f"{self._where} takes nothing: {reason(error)}"
        else:
            if self.problem is not None:
                log.info("%s takes the newest values again", self._where)
            self.problem = None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def newest(records: Mapping[Topic, Sequence[Struct]]) -> dict[str, Price | Regime | Prediction]:
    """Return the newest record of each key (without the prefix), of those records that have a place in Redis."""
    found: dict[tuple[str, ...], Price | Regime | Prediction] = {}

    def offer(key: tuple[str, ...], time: int, record: Price | Regime | Prediction) -> None:
        if key not in found or found[key].time <= time:
            found[key] = record

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
    return {":".join(key): record for key, record in found.items()}

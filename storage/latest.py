"""Redis: the newest price, regime and champions' predictions of each symbol, for readers that cannot wait for a query.

``foretick:latest:{symbol}:price`` is JSON with `time` (of the tick, or the end of the bar) and `price`;
``foretick:latest:{symbol}:regime`` and ``foretick:latest:{symbol}:prediction:{model}`` are records as on the topics.
What is said of bars that are not cut by time has no place here: when such a bar ended is not known.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TypeVar, cast

import redis.asyncio as redis
import stamina
from msgspec import Struct
from redis.exceptions import BusyLoadingError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from storage.errors import StorageError, place, reason
from topics.catalog import BARS, PREDICTIONS, REGIMES, TICKS, Topic
from topics.codec import encode_one
from topics.records import Bar, Prediction, Regime, Tick
from topics.units import interval_ms, is_time

PREFIX = "foretick:latest"
RETRY_SECONDS = 60.0
LOST = (RedisConnectionError, RedisTimeoutError, BusyLoadingError)

# A record that comes again after a newer one must not take its place. Comparing and setting in one script makes that
# hold between several writers too. A value that someone else put there and that has no time is replaced.
FORWARD = """
for i, key in ipairs(KEYS) do
    local read, old = pcall(cjson.decode, redis.call('GET', key) or 'null')
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
    """Keeps the newest record of each symbol; its event time only ever goes forward."""

    def __init__(self, url: str) -> None:
        self._where = place(url)
        try:
            self._client = redis.Redis.from_url(url)
        except ValueError:
            raise StorageError(f"{self._where} is no address of a Redis server") from None
        self._forward = self._client.register_script(FORWARD)

    async def write(self, records: Mapping[Topic, Sequence[Struct]]) -> None:
        """Set what is newer than what is there, in one round trip. A lost connection is made again for a minute.

        Raises StorageError where the server stays out of reach or refuses.
        """
        found = newest(records)
        if not found:
            return
        keys = [f"{PREFIX}:{key}" for key in found]
        arguments = [part for record in found.values() for part in (record.time, encode_one(record))]
        try:
            async for attempt in stamina.retry_context(on=LOST, attempts=None, timeout=RETRY_SECONDS):
                with attempt:
                    await self._forward(keys=keys, args=arguments)
        except RedisError as error:
            raise StorageError(f"{self._where} did not take the records: {reason(error)}") from None

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

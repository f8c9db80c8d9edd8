"""Redis holds the newest of each symbol, and never an older one again."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from storage.latest import PREFIX, LatestCache, newest
from topics.catalog import BARS, FEATURES, PREDICTIONS, REGIMES, TICKS, Topic
from topics.records import Bar, Features, Forecast, Prediction, Regime, Tick

pytestmark = pytest.mark.slow

MINUTE = 60_000
T0 = 1_600_000_020_000


def regime(time: int, state: str = "calm") -> Regime:
    return Regime(symbol="BTCUSDT", interval="1m", time=time, state=state, posterior={state: 1.0})


def prediction(time: int, model: str = "naive") -> Prediction:
    return Prediction(
        symbol="BTCUSDT",
        interval="1m",
        time=time,
        model=model,
        version="v1",
        fingerprint="f1",
        price=1.5,
        forecasts=[Forecast(horizon=1, mean=0.1)],
    )


@pytest.fixture
def client(servers: Any) -> Iterator[redis.Redis]:
    """The session's Redis, with no key of ours."""
    with redis.Redis.from_url(servers.redis_url, decode_responses=True) as result:
        forget(result)
        yield result


def forget(client: redis.Redis) -> None:
    for key in client.scan_iter(f"{PREFIX}:*"):
        client.delete(key)


def write(url: str, *batches: Mapping[Topic, Sequence[Struct]]) -> None:
    async def run() -> None:
        latest = LatestCache(url)
        try:
            for batch in batches:
                await latest.write(batch)
        finally:
            await latest.close()

    asyncio.run(run())


def held(client: redis.Redis, key: str) -> Any:
    return msgspec.json.decode(client.get(f"{PREFIX}:{key}") or b"null")


def test_only_the_newest_of_a_batch_is_sent() -> None:
    values = newest({REGIMES: [regime(T0), regime(T0 + MINUTE), regime(T0 - MINUTE)], FEATURES: [features()]})
    assert values == {"BTCUSDT:regime": regime(T0 + MINUTE)}


def features() -> Features:
    return Features(symbol="BTCUSDT", interval="1m", time=T0, close=1.0, fingerprint="f1", values=[])


def test_the_price_of_a_bar_is_known_at_its_end_and_a_later_tick_is_newer() -> None:
    bar = Bar("BTCUSDT", "1m", T0, 1.0, 2.0, 0.5, 1.5, None)
    within, after = Tick("BTCUSDT", T0 + 1, 1.7, 1.0), Tick("BTCUSDT", T0 + MINUTE + 1, 1.8, 1.0)
    assert msgspec.to_builtins(newest({BARS: [bar], TICKS: [within]})) == {
        "BTCUSDT:price": {"time": T0 + MINUTE, "price": 1.5}
    }
    assert msgspec.to_builtins(newest({BARS: [bar], TICKS: [within, after]})) == {
        "BTCUSDT:price": {"time": T0 + MINUTE + 1, "price": 1.8}
    }


def test_bars_that_are_not_cut_by_time_tell_no_newest() -> None:
    """They would take the places of what the time bars say, and when one ended is not known."""
    bar = Bar("BTCUSDT", "tick-500", T0 + 1, 1.0, 2.0, 0.5, 1.5, None)
    others = [msgspec.structs.replace(one, interval="range-10") for one in (regime(T0 + 1), prediction(T0 + 1))]
    assert newest({BARS: [bar], REGIMES: others[:1], PREDICTIONS: others[1:]}) == {}


@pytest.mark.services
def test_the_latest_prediction_of_a_model_is_its_champions() -> None:
    beside = [
        msgspec.structs.replace(prediction(T0 + MINUTE), version="v2", role=role) for role in ("challenger", "standby")
    ]
    values = newest({PREDICTIONS: [prediction(T0), *beside]})
    assert values == {"BTCUSDT:prediction:naive": prediction(T0)}


def test_each_model_has_its_newest_prediction_as_on_the_topic(servers: Any, client: redis.Redis) -> None:
    write(servers.redis_url, {PREDICTIONS: [prediction(T0), prediction(T0 + MINUTE), prediction(T0, "river")]})
    for model, time in (("naive", T0 + MINUTE), ("river", T0)):
        value = client.get(f"{PREFIX}:BTCUSDT:prediction:{model}")
        assert msgspec.json.decode(value or "", type=Prediction) == prediction(time, model)


@pytest.mark.services
@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
@given(batches=st.lists(st.lists(st.integers(0, 9_999_999_999_999), min_size=1, max_size=4), min_size=1, max_size=6))
def test_an_older_record_does_not_replace_a_newer_one(
    servers: Any, client: redis.Redis, batches: list[list[int]]
) -> None:
    forget(client)
    write(servers.redis_url, *({REGIMES: [regime(time) for time in batch]} for batch in batches))
    assert held(client, "BTCUSDT:regime")["time"] == max(map(max, batches))


@pytest.mark.services
def test_another_record_of_the_same_time_replaces_it(servers: Any, client: redis.Redis) -> None:
    write(servers.redis_url, {REGIMES: [regime(T0, "calm")]}, {REGIMES: [regime(T0, "wild")]})
    assert held(client, "BTCUSDT:regime")["state"] == "wild"


@pytest.mark.services
@pytest.mark.parametrize("junk", ["", "{", "7", "null", '{"time": "soon"}'])
def test_a_foreign_value_under_our_key_is_replaced(servers: Any, client: redis.Redis, junk: str) -> None:
    client.set(f"{PREFIX}:BTCUSDT:regime", junk)
    write(servers.redis_url, {REGIMES: [regime(T0)]})
    assert held(client, "BTCUSDT:regime")["time"] == T0


@pytest.mark.services
def test_a_lost_connection_is_made_again(servers: Any, client: redis.Redis) -> None:
    async def run() -> None:
        latest = LatestCache(servers.redis_url)
        await latest.write({REGIMES: [regime(T0)]})
        client.client_kill_filter(_type="normal", skipme=True)
        await latest.write({REGIMES: [regime(T0 + MINUTE)]})
        await latest.close()

    asyncio.run(run())
    assert held(client, "BTCUSDT:regime")["time"] == T0 + MINUTE

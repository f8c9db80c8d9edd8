"""Ticks as any client may send them, and what is no tick, through the real pipeline that builds bars of all kinds."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiokafka import AIOKafkaProducer
from stacks import Servers, running
from stream_runs import COMPONENTS, Run
from waiting import until

from broker import clients
from features.table import NAMES
from stack import state
from topics import codec
from topics.records import Bar, Forecast, Prediction, Tick

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(300)]

START, MINUTE = 1_748_044_800_000, 60_000
PLAIN, FRAMED = "BTCUSDT", "ETHUSDT"
"""The symbol of the ticks that come one by one, amid garbage; of those that come in frames."""
MINUTES = 30
GARBAGE = {
    "ticks": [b"", b"{", b"[1, 2]", b'{"symbol":"BTCUSDT","time":1748044800000,"price":-1,"amount":1}'],
    "bars": [
        b'{"symbol":"BTCUSDT","interval":"1m","time":1748044800000,"open":1,"high":0.5,"low":1,"close":1,"volume":1}'
    ],
    "features": [
        b'{"symbol":"BTCUSDT","interval":"1m","time":1748044800000,"close":1,"fingerprint":"another","values":[1]}',
    ],
    "predictions": [b"null"],
    "regimes": [b"no JSON"],
    "outcomes": [b'"text"'],
    "dead-letters": [b"not even this"],
}
LETTERS = sum(map(len, GARBAGE.values())) + 1 + 1 + 1
"""[1, 2] holds two; the late tick; and what is said of a bar that is not cut by time."""
FRAMED_MINUTES, A_MINUTE = 12, 20
KINDS = {"tick-7": 7, "volume-2.5": 5}
"""The kinds built beside 1m, and the framed trades in each bar of theirs: every trade is of 0.5."""


def tick(offset_ms: int, price: float, trade: int) -> bytes:
    row = {"symbol": PLAIN, "time": START + offset_ms, "price": price, "amount": 1.0, "side": "buy"}
    return json.dumps(row | {"trade_id": str(trade)}).encode()


async def produce_plain(servers: Servers) -> None:
    """Send garbage to every topic, then ticks one by one, one of them twice and one of them much too late."""
    async with clients.producer(servers.broker) as producer:
        for topic, values in GARBAGE.items():
            for value in values:
                await producer.send_and_wait(topic, value, key=PLAIN.encode())
        trade = 0
        for minute in range(MINUTES):
            for second in (0, 20, 40):
                trade += 1
                await producer.send_and_wait(
                    "ticks",
                    tick(minute * MINUTE + second * 1000, 100 + minute + second / 100, trade),
                    key=PLAIN.encode(),
                )
        for one in (
            tick(5 * MINUTE, 105.0, 16),  # known: the first of minute 5
            tick(6 * MINUTE, 1.0, 999),  # late
            tick(MINUTES * MINUTE + 30_000, 200.0, 1_000),  # the last minute closes only when event time has passed it
        ):
            await producer.send_and_wait("ticks", one, key=PLAIN.encode())


def trades() -> list[Tick]:
    """Return twenty trades a minute, some of them at the same millisecond; the last closes the last minute."""
    times = [minute * MINUTE + trade // 2 * 6_000 for minute in range(FRAMED_MINUTES) for trade in range(A_MINUTE)]
    made = [Tick(FRAMED, START + time, 100 + k % 13, 0.5, "buy", str(k)) for k, time in enumerate(times)]
    return [*made, Tick(FRAMED, START + FRAMED_MINUTES * MINUTE + 30_000, 100.0, 0.5, "sell", "last")]


def bars_of(ticks: list[Tick], interval: str, size: int) -> list[tuple[Any, ...]]:
    """Return the bars of so many ticks each, as they must be stored."""
    results, last = [], -1
    for first in range(0, len(ticks) - size + 1, size):
        rows = ticks[first : first + size]
        prices = [row.price for row in rows]
        last = max(rows[0].time, last + 1)
        buyers = sum(row.side == "buy" for row in rows)
        results.append((interval, last, prices[0], max(prices), min(prices), prices[-1], size / 2, size, buyers))
    return results


async def produce_framed(servers: Servers) -> None:
    """Send some trades one by one and the rest in frames; before, what somebody else may say of such bars."""
    ticks = trades()
    frames = [[one] for one in ticks[:50]] + [ticks[first : first + 60] for first in range(50, len(ticks), 60)]
    others = {
        "predictions": Prediction(
            symbol=FRAMED,
            interval="tick-7",
            time=START,
            model="mine",
            version="v1",
            fingerprint="f",
            price=1.0,
            forecasts=[Forecast(horizon=1, mean=0.1)],
        ),
        "bars": Bar("SOLUSDT", "range-10", START + 1, 1.0, 1.0, 1.0, 1.0, None),
    }
    async with AIOKafkaProducer(bootstrap_servers=servers.kafka) as producer:
        for topic, record in others.items():
            await producer.send_and_wait(topic, codec.encode([record]), key=record.symbol.encode())
        for frame in frames:
            await producer.send_and_wait("ticks", codec.encode(frame), key=FRAMED.encode())


@pytest.fixture(scope="module")
def run(trained: Path) -> Iterator[Run]:
    """A pipeline that builds all kinds of bars, after both have been sent and all is stored."""
    with running(COMPONENTS, trained, {"FORETICK_BARS": ",".join(KINDS)}) as servers:
        asyncio.run(produce_plain(servers))
        asyncio.run(produce_framed(servers))
        result = Run(servers)
        result.wait((MINUTES + FRAMED_MINUTES) * 12 + 1)
        until(lambda: result.rows("dead_letters") >= LETTERS, 30, "the dead letters are stored")
        yield result


def rows(run: Run, query: str, *messages: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with psycopg.connect(run.servers.database_url) as connection:
        return connection.execute(query.encode(), messages).fetchall()


def test_plain_ticks_become_bars_and_what_is_no_tick_a_dead_letter(run: Run) -> None:
    query = "SELECT open, high, low, close, volume, trades, gap FROM bars "
    bars = rows(run, query + "WHERE symbol = %s AND interval = '1m' ORDER BY time", PLAIN)
    assert bars == [(100.0 + m, 100.4 + m, 100.0 + m, 100.4 + m, 3.0, 3, 0) for m in range(MINUTES)]
    dead_letters = rows(run, "SELECT topic, reason, value FROM dead_letters")
    others = [row for row in dead_letters if "not cut by time" not in row[1]]
    assert len(others) == len(dead_letters) - 1
    assert sorted(topic for topic, _, _ in others) == sorted(
        [*(topic for topic, values in GARBAGE.items() for _ in values), "ticks", "ticks"]
    )
    reasons = {topic: reason for topic, reason, _ in others}
    assert "retrain" in reasons["features"]
    late = [json.loads(value) for _, reason, value in others if reason.startswith("late")]
    assert [(row["trade_id"], row["time"]) for row in late] == [("999", START + 6 * MINUTE)]


def test_ticks_become_bars_of_all_kinds_on_disk_and_features_of_each(run: Run) -> None:
    stored = rows(
        run,
        "SELECT interval, (extract(epoch FROM time) * 1000)::int8, open, high, low, close, volume, trades, buy_trades "
        "FROM bars WHERE symbol = %s AND interval <> '1m' ORDER BY interval, time",
        FRAMED,
    )
    assert stored == [bar for kind, size in KINDS.items() for bar in bars_of(trades(), kind, size)]
    minutes = rows(run, "SELECT trades, buy_trades, gap FROM bars WHERE symbol = %s AND interval = '1m'", FRAMED)
    assert minutes == [(A_MINUTE, A_MINUTE, 0)] * FRAMED_MINUTES
    features = dict(rows(run, "SELECT interval, count(*) FROM features WHERE symbol = %s GROUP BY interval", FRAMED))
    assert features == {"1m": FRAMED_MINUTES} | {kind: len(trades()) // size for kind, size in KINDS.items()}
    predicted = rows(run, "SELECT DISTINCT interval, model FROM predictions")
    assert {interval for interval, model in predicted if model != "mine"} == {"1m"}
    gap = NAMES.index("missing_before") + 1
    missing = f"SELECT count(values[{gap}]) FROM features WHERE interval <> '1m'"  # noqa: S608 - a number of ours
    assert rows(run, missing) == [(0,)]
    ((topic, value, reason),) = rows(
        run, "SELECT topic, value, reason FROM dead_letters WHERE reason LIKE '%%not cut by time%%'"
    )
    assert (topic, json.loads(value)["model"]) == ("predictions", "mine")
    assert "tick-7 bars are not cut by time" in reason
    stack_state = state.read(run.servers.home)
    assert stack_state is not None
    assert {name: stack_state.components[name].restarts for name in ("worker", "persist")} == {
        "worker": 0,
        "persist": 0,
    }

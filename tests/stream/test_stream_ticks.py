"""Ticks as any client may send them, and everything that is no tick, through the real pipeline."""

import asyncio
import json
import time
from pathlib import Path

import psycopg
import pytest
from stacks import Servers, running
from stream_runs import COMPONENTS, Run

from sources import broker

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(300)]

START, MINUTE = 1_748_044_800_000, 60_000
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


def tick(offset_ms: int, price: float, trade: int) -> bytes:
    row = {"symbol": "BTCUSDT", "time": START + offset_ms, "price": price, "amount": 1.0, "side": "buy"}
    return json.dumps(row | {"trade_id": str(trade)}).encode()


async def produce(servers: Servers) -> None:
    """Send garbage to every topic, then ticks one by one, one of them twice and one of them much too late."""
    async with broker.producer(servers.broker) as producer:
        for topic, values in GARBAGE.items():
            for value in values:
                await producer.send_and_wait(topic, value, key=b"BTCUSDT")
        trade = 0
        for minute in range(MINUTES):
            for second in (0, 20, 40):
                trade += 1
                await producer.send_and_wait(
                    "ticks", tick(minute * MINUTE + second * 1000, 100 + minute + second / 100, trade), key=b"BTCUSDT"
                )
        await producer.send_and_wait(
            "ticks", tick(5 * MINUTE, 105.0, 16), key=b"BTCUSDT"
        )  # known: the first of minute 5
        await producer.send_and_wait("ticks", tick(6 * MINUTE, 1.0, 999), key=b"BTCUSDT")  # late
        # The last minute closes only when event time has passed it.
        await producer.send_and_wait("ticks", tick(MINUTES * MINUTE + 30_000, 200.0, 1_000), key=b"BTCUSDT")


def test_plain_ticks_become_bars_and_what_is_no_tick_a_dead_letter(trained: Path) -> None:
    with running(COMPONENTS, trained) as servers:
        asyncio.run(produce(servers))
        run = Run(servers)
        run.wait(MINUTES * 12)
        deadline = time.monotonic() + 30
        expected = sum(map(len, GARBAGE.values())) + 1 + 1  # [1, 2] holds two; and the late tick
        while run.rows("dead_letters") < expected and time.monotonic() < deadline:
            time.sleep(0.5)
        with psycopg.connect(servers.database_url) as connection:
            bars = connection.execute(
                "SELECT open, high, low, close, volume, trades, gap FROM bars ORDER BY time"
            ).fetchall()
            letters = connection.execute("SELECT topic, reason, value FROM dead_letters").fetchall()
        assert bars == [(100.0 + m, 100.4 + m, 100.0 + m, 100.4 + m, 3.0, 3, 0) for m in range(MINUTES)]
        assert sorted(topic for topic, _, _ in letters) == sorted(
            [*(topic for topic, values in GARBAGE.items() for _ in values), "ticks", "ticks"]
        )
        reasons = {topic: reason for topic, reason, _ in letters}
        assert "retrain" in reasons["features"]
        late = [json.loads(value) for _, reason, value in letters if reason.startswith("late")]
        assert [(row["trade_id"], row["time"]) for row in late] == [("999", START + 6 * MINUTE)]

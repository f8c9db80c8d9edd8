"""What the version before left is gone on with in mid-stream: its topics, its changelogs and its tables."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from deploying import (
    EVENTS,
    WARM,
    asked,
    assert_one_champion_a_bar,
    bars_of,
    home_with_second_versions,
    ledger_of,
)
from stacks import Servers, running
from stream_runs import COMPONENTS, Run
from waiting import until

from broker.decision_signature import key_of, signed
from broker.producer import producer
from models.registry import model_registry
from storage.timescale import migrate
from topics import codec
from topics.catalog import MODELS, PREDICTIONS
from topics.records import Bar

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]

SERVED = ("naive", "online", "gbm")
BARS = 700
BEFORE = """
ALTER TABLE model_deployments RENAME COLUMN standby TO shadow;
UPDATE contexts SET role = 'shadow' WHERE role = 'standby';
UPDATE model_events SET role = 'shadow' WHERE role = 'standby';
DROP FUNCTION role_named CASCADE;
DELETE FROM schema_migrations WHERE name = '0052_standby';
"""
"""Puts the tables back to what the version before wrote; its views of outcomes are in `tests/storage`."""


def as_before(value: bytes) -> bytes:
    """Return a record as the version before wrote it."""
    return value.replace(b'"standby":', b'"shadow":').replace(b'"role":"standby"', b'"role":"shadow"')


async def write(servers: Servers, topic: str, key: str, value: bytes, headers: list[tuple[str, bytes]]) -> None:
    to_kafka = producer(servers.broker)
    await to_kafka.start()
    await to_kafka.send_and_wait(topic, value, key=key.encode(), headers=[*codec.HEADERS, *headers])
    await to_kafka.stop()


def roles(servers: Servers, table: str, version: str) -> set[Any]:
    return {role for (role,) in asked(servers, f"SELECT DISTINCT role FROM {table} WHERE version = %s", version)}  # noqa: S608 - our own constants


@pytest.mark.long
def test_the_shadow_of_before_is_the_standby_and_can_be_taken_back_to(
    trained: Path, tmp_path: Path, bars: dict[str, list[Bar]]
) -> None:
    folder, second = home_with_second_versions(trained, tmp_path)
    first = model_registry.serving(folder)["gbm"]
    begun, rest = ({symbol: rows[cut] for symbol, rows in bars.items()} for cut in (slice(WARM), slice(WARM, BARS)))
    with running((*COMPONENTS, "deploy"), folder) as servers:
        run, ledger = Run(servers), ledger_of(servers)
        made = ledger.decide("gbm", "promote", second["gbm"], decided_by="test", why="a test", force=True)
        assert made.standby == first
        until(lambda: any(row[3] == made.number for row in asked(servers, EVENTS)), 60, "it is loaded")
        run.send(list(begun.values()))
        run.wait(len(bars) * WARM * (len(SERVED) + 1) * 4)
        waiting = bars_of(servers, "gbm", first, "standby")
        assert waiting == len(bars) * WARM

        # The decision as the version before signed it, a forecast of a program, and the tables as they were.
        value = as_before(codec.encode_one(made))
        assert b'"shadow":' in value
        asyncio.run(write(servers, MODELS.name, "gbm", value, [signed(key_of(servers.home), value)]))
        foreign = {"symbol": "FORMER", "interval": "1m", "model": "mine", "version": "v", "fingerprint": "f"}
        (bar, *_) = next(iter(rest.values()))
        forecast = foreign | {"time": bar.time, "price": 1.0, "forecasts": [{"horizon": 1}], "role": "shadow"}
        asyncio.run(write(servers, PREDICTIONS.name, "FORMER", msgspec.json.encode(forecast), []))
        until(lambda: roles(servers, "predictions", "v") == {"standby"}, 60, "an old role is read")
        with psycopg.connect(servers.database_url) as connection:
            connection.execute(BEFORE)
        assert roles(servers, "predictions", first) == {"shadow"}

        for component in ("worker", "persist"):
            run.kill(component)
        migrate(servers.database_url)
        run.send([[row] for together in zip(*rest.values(), strict=True) for row in together])
        run.wait(len(bars) * BARS * (len(SERVED) + 1) * 4)
        assert_one_champion_a_bar(servers, {s: rows[:BARS] for s, rows in bars.items()}, SERVED)
        assert bars_of(servers, "gbm", first, "standby") == len(bars) * BARS
        assert roles(servers, "outcomes", first) == {"standby"}
        loaded = [row for row in asked(servers, EVENTS) if (row[1], row[2], row[3]) == (first, "loaded", made.number)]
        assert {row[4] for row in loaded} == {"standby"}
        assert len(loaded) >= 2  # the worker before, and the one after
        assert ledger.latest()["gbm"].standby == first
        back = ledger.decide("gbm", "rollback", decided_by="test", why="a test")
        assert (back.champion, back.standby) == (first, second["gbm"])
        assert not asked(servers, "SELECT * FROM dead_letters")

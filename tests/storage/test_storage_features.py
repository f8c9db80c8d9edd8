"""A feature by its name, in SQL."""

import asyncio

import psycopg
import pytest
from storage_rows import write

from storage.timescale import Writer
from topics.catalog import FEATURES
from topics.records import Features

pytestmark = pytest.mark.services

T0, MINUTE = 1_600_000_020_000, 60_000
DEFINITIONS = {"aaaa": ["rsi_14", "cci_20"], "bbbb": ["cci_20", "obv", "rsi_14"]}


async def define(url: str) -> None:
    writer = Writer(url)
    for fingerprint, names in DEFINITIONS.items():
        await writer.define_features(fingerprint, names)
    await writer.close()


def test_a_feature_is_found_by_name_whatever_the_definition_of_its_row(database: str) -> None:
    asyncio.run(define(database))
    rows = [
        Features(symbol="BTCUSDT", interval="1m", time=T0, close=1.5, fingerprint="aaaa", values=[61.5, -20.0]),
        Features(
            symbol="BTCUSDT", interval="1m", time=T0 + MINUTE, close=1.5, fingerprint="bbbb", values=[-30.0, 7.0, 62.5]
        ),
        Features(
            symbol="BTCUSDT",
            interval="1m",
            time=T0 + 2 * MINUTE,
            close=1.5,
            fingerprint="bbbb",
            values=[-30.0, 7.0, float("nan")],
        ),
        Features(symbol="BTCUSDT", interval="1m", time=T0 + 3 * MINUTE, close=1.5, fingerprint="cccc", values=[1.0]),
    ]
    write(database, {FEATURES: rows})
    columns = "feature(values, fingerprint, 'rsi_14'), feature(values, fingerprint, 'none')"
    with psycopg.connect(database) as connection:
        result = connection.execute(f"SELECT {columns} FROM features ORDER BY time").fetchall()  # noqa: S608 - ours
    assert result == [(61.5, None), (62.5, None), (None, None), (None, None)]

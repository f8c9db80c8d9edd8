"""A universe through the real pipeline: every bar meets the others of its interval, at any speed and after a crash."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from aiokafka import AIOKafkaConsumer
from stacks import running
from stream_runs import COMPONENTS, Run, Tables
from test_stream_pipeline import assert_same

from features.cross_section import join
from features.definition import Definition
from features.frame import BarFrame
from models.training import features
from topics import codec
from topics.catalog import MARKET_BARS
from topics.records import Bar

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]

UNIVERSE = {"BTCUSDT": 2.0, "ETHUSDT": 1.0}
ENVIRONMENT = {"FORETICK_UNIVERSE": "BTCUSDT:2,ETHUSDT"}
ROWS, MINUTE, PREDICTIONS_A_BAR = 400, 60_000, 12

Frames = Sequence[Sequence[Bar]]


@pytest.fixture(scope="module")
def market(bars: dict[str, list[Bar]]) -> dict[str, list[Bar]]:
    """Return some bars of both symbols, one with holes, and a symbol outside the universe."""
    values = {symbol: rows[500 : 500 + ROWS] for symbol, rows in bars.items()}
    values["ETHUSDT"] = [bar for place, bar in enumerate(values["ETHUSDT"]) if place % 50 not in (7, 8)]
    values["DOGEUSDT"] = [Bar("DOGEUSDT", "1m", bar.time, 2.0, 2.0, 2.0, 2.0, 1.0) for bar in values["BTCUSDT"][:100]]
    return values


def together(market: dict[str, list[Bar]], spans: Sequence[int]) -> list[Sequence[Bar]]:
    """Cut all symbols at the same times, spans of so many minutes one after another, the symbols in changing order."""
    start, end = market["BTCUSDT"][0].time, market["BTCUSDT"][-1].time + MINUTE
    frames: list[Sequence[Bar]] = []
    turn = 0
    while start < end:
        until = start + spans[turn % len(spans)] * MINUTE
        parts = [[bar for bar in rows if start <= bar.time < until] for rows in market.values()]
        frames += [part for part in (parts if turn % 2 else reversed(parts)) if part]
        start, turn = until, turn + 1
    return frames


def whole_run(
    trained: Path, frames: Frames, between: Callable[[Run, int], None] = lambda *_: None
) -> tuple[Tables, dict[str, list[Bar]]]:
    """Send the frames through a pipeline of its own; return its tables, and what came out on `market-bars`."""
    with running(COMPONENTS, trained, ENVIRONMENT) as servers:
        run = Run(servers, universe=True)
        run.send(frames, lambda number: between(run, number))
        run.wait(sum(map(len, frames)) * PREDICTIONS_A_BAR)
        return run.tables(), asyncio.run(read(servers.kafka))


async def read(bootstrap: str) -> dict[str, list[Bar]]:
    """Read `market-bars`; a bar that came twice after a crash must be the same bar."""
    consumer = AIOKafkaConsumer(MARKET_BARS.name, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    values: dict[tuple[str, int], Bar] = {}
    async with consumer:
        while batches := await consumer.getmany(timeout_ms=2_000):
            for message in [message for batch in batches.values() for message in batch]:
                for bar in codec.decode(message.value, Bar).records:
                    assert message.key == bar.symbol.encode()
                    assert values.setdefault((bar.symbol, bar.time), bar) == bar
    return {
        symbol: [values[key] for key in sorted(values) if key[0] == symbol] for symbol in {key[0] for key in values}
    }


@pytest.fixture(scope="module")
def fast(trained: Path, market: dict[str, list[Bar]]) -> tuple[Tables, dict[str, list[Bar]]]:
    """Return what a run in big frames gives, as fast as it goes."""
    return whole_run(trained, together(market, (150, 90)))


def test_every_bar_has_the_columns_of_whole_series(
    fast: tuple[Tables, dict[str, list[Bar]]], market: dict[str, list[Bar]], trained: Path
) -> None:
    tables, results = fast
    bars = [BarFrame.of(rows) for rows in market.values()]
    frames = join(bars, UNIVERSE)
    assert {symbol: len(rows) for symbol, rows in results.items()} == {s: len(rows) for s, rows in market.items()}
    for frame in frames:
        mine = BarFrame.of(results[frame.symbol])
        np.testing.assert_array_equal(mine.market_return, frame.market_return)
        np.testing.assert_array_equal(mine.market_rank, frame.market_rank)
        np.testing.assert_array_equal(mine.lead_return, frame.lead_return)
        assert mine.close.tolist() == frame.close.tolist()
    assert np.isfinite(frames[0].market_return).sum() > 300
    assert np.isfinite(frames[1].lead_return).sum() > 300
    assert [row[:2] for row in tables["bars"]] == sorted((s, "1m") for s, rows in market.items() for _ in rows)
    expected = {
        (frame.symbol, time): row
        for frame in features(bars, Definition.load(trained), UNIVERSE)
        for time, row in zip(frame.time.tolist(), frame.values.tolist(), strict=True)
    }
    stored = {(row[0], round(row[2].timestamp() * 1_000)): row[5] for row in tables["features"]}
    assert stored.keys() == expected.keys()
    for key, values in expected.items():
        np.testing.assert_array_equal(np.array(stored[key], dtype=float), values)


@pytest.mark.long
def test_small_frames_give_the_same_rows(
    fast: tuple[Tables, dict[str, list[Bar]]], trained: Path, market: dict[str, list[Bar]]
) -> None:
    def pace(_: Run, number: int) -> None:
        time.sleep(0.05 if number % 10 == 0 else 0.0)

    tables, values = whole_run(trained, together(market, (1, 1, 2, 5, 13, 1)), pace)
    assert values == fast[1]
    assert_same(tables, fast[0])


@pytest.mark.long
@pytest.mark.chaos
def test_sigkill_of_the_worker_leaves_the_same_rows(
    fast: tuple[Tables, dict[str, list[Bar]]], trained: Path, market: dict[str, list[Bar]]
) -> None:
    def disturb(run: Run, number: int) -> None:
        time.sleep(0.1)
        if number in (1, 40, 90):
            run.kill("worker")

    tables, values = whole_run(trained, together(market, (7, 11)), disturb)
    assert values == fast[1]
    assert_same(tables, fast[0])

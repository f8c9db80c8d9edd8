"""The way to Kafka ends when it is told to, at whatever moment."""

import asyncio
from pathlib import Path

import pytest
from memory_kafka import CLUSTER, MemoryKafka

from broker.confirmed_send import KafkaWriter
from sources.live.checkpoint import FeedCheckpoint, restore
from sources.live.publisher import LiveKafkaWriter, live_kafka_writer
from sources.live.sequencer import Cursor
from sources.replay.sender import cluster_at
from topics.records import Tick


@pytest.mark.parametrize("turns", range(6))
def test_the_writer_can_be_cancelled_while_something_arrives(tmp_path: Path, turns: int):
    async def cancelled() -> bool:
        writer = LiveKafkaWriter(KafkaWriter("none"), FeedCheckpoint(), tmp_path / "memory.json", counted=True)
        work = asyncio.create_task(writer.run())
        await asyncio.sleep(0.05)
        writer.put(list[Tick]())
        for _ in range(turns):
            await asyncio.sleep(0)
        work.cancel()
        done, _ = await asyncio.wait([work], timeout=5)
        if not done:
            work.cancel()
        return bool(done)

    assert asyncio.run(cancelled())


def tick(symbol: str, trade_id: int) -> Tick:
    return Tick(symbol, 1_600_000_000_000 + trade_id, 1.0, 1.0, trade_id=str(trade_id), venue="binance")


def test_what_kafka_has_is_known_after_a_stop_and_after_a_kill(tmp_path: Path):
    kafka, path = MemoryKafka(), tmp_path / "memory.json"

    async def sent(checkpoint: FeedCheckpoint, first: int) -> FeedCheckpoint:
        cluster = await cluster_at(kafka)
        await restore(kafka, cluster, checkpoint, "binance", counted=True)
        async with live_kafka_writer(kafka, checkpoint, path, counted=True) as writer:
            writer.put([tick("BTCUSDT", first), tick("ETHUSDT", first), tick("BTCUSDT", first + 1)])
        return FeedCheckpoint.load(path)

    stopped = asyncio.run(sent(FeedCheckpoint(), 1))
    places = {"BTCUSDT": Cursor(1_600_000_000_002, 2), "ETHUSDT": Cursor(1_600_000_000_001, 1)}
    assert (stopped.cluster, stopped.places) == (CLUSTER, places)
    before = path.read_bytes()
    asyncio.run(sent(FeedCheckpoint.load(path), 11))
    path.write_bytes(before)  # as though it had been killed before it wrote down the second run
    killed = FeedCheckpoint.load(path)
    asyncio.run(restore(kafka, asyncio.run(cluster_at(kafka)), killed, "binance", counted=True))
    assert killed.places == {"BTCUSDT": Cursor(1_600_000_000_012, 12), "ETHUSDT": Cursor(1_600_000_000_011, 11)}

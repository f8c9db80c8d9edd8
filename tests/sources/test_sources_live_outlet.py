"""The way to Kafka ends when it is told to, at whatever moment."""

import asyncio
from pathlib import Path

import pytest

from sources.live.memory import Memory
from sources.live.outlet import Outlet
from topics.records import Tick


class NoKafka:
    """Takes nothing: the test gives it nothing."""


@pytest.mark.parametrize("turns", range(6))
def test_the_outlet_ends_though_something_comes_at_the_same_moment(tmp_path: Path, turns: int):
    async def cancelled() -> bool:
        outlet = Outlet(NoKafka(), Memory(), tmp_path / "memory.json", counted=True)  # type: ignore[arg-type]
        work = asyncio.create_task(outlet.run())
        await asyncio.sleep(0.05)
        outlet.put(list[Tick]())
        for _ in range(turns):
            await asyncio.sleep(0)
        work.cancel()
        done, _ = await asyncio.wait([work], timeout=5)
        if not done:
            work.cancel()
        return bool(done)

    assert asyncio.run(cancelled())

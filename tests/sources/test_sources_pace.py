"""Pacing, and the progress that is kept."""

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest

from sources.errors import SourceError
from sources.reading.counts import Counts
from sources.reading.request import ReadRequest
from sources.replay.checkpoint import Progress, identity, load, only_one, save
from sources.replay.pace import Pace, Rows, speed_of, split


def _rows(*times: int) -> dict[str, np.ndarray]:
    return {"time": np.array(times)}


@pytest.mark.parametrize("text", ["fast", "0x", "-1x", "60", "infx", "x", ""])
def test_an_invalid_speed_is_told(text: str) -> None:
    with pytest.raises(SourceError, match="--speed"):
        speed_of(text)


def test_rows_are_parted_by_time() -> None:
    early, late = split({1: _rows(1, 2, 3), 2: _rows(5)}, 2)
    assert {series: rows["time"].tolist() for series, rows in early.items()} == {1: [1, 2]}
    assert {series: rows["time"].tolist() for series, rows in late.items()} == {1: [3], 2: [5]}


def test_rows_come_in_order_and_not_before_they_are_due() -> None:
    pace, begun, came = Pace(1_000.0), time.monotonic(), []

    async def run(rows: Rows) -> None:
        async for ready in pace.due(rows):
            passed = (time.monotonic() - begun) * 1_000 * 1_000
            came.extend((value, passed) for rows in ready.values() for value in rows["time"].tolist())

    asyncio.run(run({0: _rows(0, 100_000, 200_000), 1: _rows(150_000)}))
    assert [value for value, _ in came] == [0, 100_000, 150_000, 200_000]
    assert all(passed >= value for value, passed in came)


def test_progress_is_written_and_read(tmp_path: Path) -> None:
    progress = Progress(positions={"bar/1m/X": 3}, offsets={"bars": {2: 7}}, counts=Counts(rows=3))
    save(tmp_path / "p.json", progress)
    assert load(tmp_path / "p.json") == progress
    assert load(tmp_path / "other.json").positions == {}
    (tmp_path / "p.json").write_text("{")
    with pytest.raises(SourceError, match="--restart"):
        load(tmp_path / "p.json")


def test_a_replay_is_identified_by_its_files_its_request_and_its_cluster(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("one")
    first = identity([file], ReadRequest(), "c")
    assert identity([file], ReadRequest(), "c") == first
    assert identity([file], ReadRequest(start=1), "c") != first
    assert identity([file], ReadRequest(), "d") != first
    file.write_text("two")
    assert identity([file], ReadRequest(), "c") != first


def test_a_replay_that_already_runs_is_refused(tmp_path: Path) -> None:
    with (
        only_one(tmp_path / "p.json"),
        pytest.raises(SourceError, match="already running"),
        only_one(tmp_path / "p.json"),
    ):
        pass
    with only_one(tmp_path / "p.json"):
        pass

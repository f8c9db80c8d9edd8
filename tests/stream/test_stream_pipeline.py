"""The real pipeline, whole: exact counts, the same tables at any speed, and after any crash."""

import random
import time
from pathlib import Path

import pytest
from stacks import running
from stream_runs import COMPONENTS, TABLES, Run, Tables

from topics.records import HORIZONS, Bar

MODELS, MINUTE_MS = ("naive", "online", "gbm"), 60_000
pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]


def test_every_bar_has_one_prediction_per_model_and_horizon(undisturbed: Tables, bars: dict[str, list[Bar]]) -> None:
    expected = {
        (symbol, bar.time, model, horizon)
        for symbol, rows in bars.items()
        for bar in rows
        for model in MODELS
        for horizon in HORIZONS
    }
    results = [(row[0], round(row[2].timestamp() * 1_000), row[3], row[5]) for row in undisturbed["predictions"]]
    assert len(results) == len(expected)
    assert set(results) == expected


def test_every_matured_forecast_has_one_outcome(undisturbed: Tables, bars: dict[str, list[Bar]]) -> None:
    expected = {}
    for symbol, rows in bars.items():
        traded, last = {bar.time for bar in rows}, rows[-1].time
        for bar in rows:
            for horizon in HORIZONS:
                target = bar.time + horizon * MINUTE_MS
                if target <= last:
                    expected |= {(symbol, bar.time, model, horizon): target in traded for model in MODELS}
    values = {(row[0], round(row[2].timestamp() * 1_000), row[3], row[5]): row[7] for row in undisturbed["outcomes"]}
    assert len(values) == len(undisturbed["outcomes"])
    assert values.keys() == expected.keys()
    assert {key for key, status in values.items() if status == "stale"} == {k for k, hit in expected.items() if not hit}


@pytest.mark.chaos
def test_neither_the_size_of_frames_nor_sigkill_of_worker_and_persist_changes_the_tables(
    undisturbed: Tables, trained: Path, bars: dict[str, list[Bar]]
) -> None:
    """Rows one by one and in small frames of changing size, the symbols out of step, and six deaths on the way."""
    chance = random.Random(7)  # noqa: S311 - no secret
    frames: list[list[Bar]] = []
    for rows in bars.values():
        start = 0
        while start < len(rows):
            size = chance.choice((1, 1, 2, 5, 13, 40))
            frames.append(rows[start : start + size])
            start += size
    deaths = {0: "worker", 1: "persist", 50: "worker", 120: "persist", 190: "worker", 191: "persist"}
    assert max(deaths) < len(frames)

    with running(COMPONENTS, trained) as servers:
        run = Run(servers)

        def disturb(number: int) -> None:
            time.sleep(0.06)
            if number in deaths:
                run.kill(deaths[number])

        run.send(frames, disturb)
        run.wait(len(undisturbed["predictions"]))
        assert_same(run.tables(), undisturbed)


def assert_same(values: Tables, expected: Tables) -> None:
    """Compare row by row, so that a failure shows the first row that differs and not a million."""
    for table in TABLES:
        assert len(values[table]) == len(expected[table]), table
        for mine, theirs in zip(values[table], expected[table], strict=True):
            assert mine == theirs, table

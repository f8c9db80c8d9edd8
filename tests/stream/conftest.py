"""Models and bars for whole runs of the pipeline, and the tables of a run that nothing disturbed."""

from pathlib import Path

import pytest
from stacks import running
from stream_runs import COMPONENTS, Run, Tables

from models import training
from models.registry import model_registry
from sources.reading.bars import read_bars
from stack import sample
from topics.records import Bar

TRAINING_BARS, BARS, MISSING = 6_000, 1_500, 30


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with models in service, fitted on the first bars of the sample."""
    folder = tmp_path_factory.mktemp("models")
    history = [frame[:TRAINING_BARS] for frame in read_bars(sample.FILES, "1m")]
    model_registry.save(folder, *training.train(history, seed=0))
    return folder


@pytest.fixture(scope="session")
def bars() -> dict[str, list[Bar]]:
    """Return the sample's bars after the training part, by symbol, with half an hour missing in the middle."""
    values = {}
    for frame in read_bars(sample.FILES, "1m"):
        rows = frame[TRAINING_BARS : TRAINING_BARS + BARS]
        columns = (rows.time, rows.open, rows.high, rows.low, rows.close, rows.volume)
        every = [Bar(rows.symbol, "1m", *row) for row in zip(*(column.tolist() for column in columns), strict=True)]
        values[rows.symbol] = every[: BARS // 2] + every[BARS // 2 + MISSING :]
    return values


@pytest.fixture(scope="session")
def undisturbed(trained: Path, bars: dict[str, list[Bar]]) -> Tables:
    """Return the tables after a run in big frames, as fast as it goes, that nothing disturbed."""
    with running(COMPONENTS, trained) as servers:
        run = Run(servers)
        run.send([rows[start : start + 490] for start in range(0, BARS, 490) for rows in bars.values() if rows[start:]])
        run.wait(sum(map(len, bars.values())) * 12)
        return run.tables()

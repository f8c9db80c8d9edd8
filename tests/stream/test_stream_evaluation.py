"""What an evaluation scores is what the stream publishes: the same models and bars, bit for bit."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psycopg
import pytest
from stacks import running
from stream_runs import COMPONENTS, Run

from evaluation import walk_forward
from evaluation.combine import combine
from evaluation.label_columns import labels_of
from evaluation.splits import Split
from features.definition import Definition
from features.frame import BarFrame, FeatureFrame
from models import training
from models.combine.combiner import Combination
from models.combine.ensemble import Ensemble
from models.forecaster import Forecasts
from models.registry import model_registry
from sources.reading.bars import read_bars
from stack import sample
from topics.records import HORIZONS, Bar

SERVED = ("naive", "ar", "ridge", "har", "rls", "gbm", "lightgbm", "ensemble")
TRAINING_BARS = 6_000
COLUMNS = "mean, scale, q05, q10, q25, q50, q75, q90, q95, p_up"
pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with more models in service and a combination of them, fitted on the sample's first bars."""
    folder = tmp_path_factory.mktemp("zoo")
    history = [frame[:TRAINING_BARS] for frame in read_bars(sample.FILES, "1m")]
    model_registry.save(folder, *training.train(history, seed=0, models=SERVED))
    return folder


def evaluated(folder: Path, frames: Sequence[FeatureFrame], kept: Path) -> dict[str, Forecasts]:
    """Return the forecasts of each model as an evaluation makes and keeps them, one symbol after another."""
    definition = Definition.load(folder)
    models = model_registry.load_all(folder, definition.fingerprint)
    experts = [model for model in models if not isinstance(model, Combination)]
    first, last = min(int(frame.time[0]) for frame in frames), max(int(frame.time[-1]) for frame in frames)
    fold = Split("all", first, first, last + 1)
    walked = walk_forward.WalkedSplit(
        split=fold,
        definition=definition,
        folder=kept,
        frames=list(frames),
        labels=labels_of(list(frames), HORIZONS, first, last + 1),
    )
    for model in experts:
        walk_forward.save_forecasts(
            kept / model.name, walk_forward.joined([walk_forward.forecast(model, frame) for frame in frames]), {}
        )
    combine(Ensemble, [walked], [model.name for model in experts])
    return {model.name: walked.load(model.name) for model in models}


def test_an_evaluation_scores_what_the_stream_publishes(zoo: Path, bars: dict[str, list[Bar]], tmp_path: Path) -> None:
    with running(COMPONENTS, zoo) as servers:
        run = Run(servers)
        run.send([rows[start : start + 97] for start in range(0, 1_500, 97) for rows in bars.values() if rows[start:]])
        run.wait(sum(map(len, bars.values())) * len(SERVED) * len(HORIZONS))
        with psycopg.connect(servers.database_url) as connection:
            query = f"SELECT model, {COLUMNS} FROM predictions ORDER BY model, symbol, time, horizon"  # noqa: S608 - our own constants
            stored = connection.execute(query).fetchall()
    history = [BarFrame.of(rows) for _, rows in sorted(bars.items())]
    values = evaluated(zoo, training.features(history, Definition.load(zoo)), tmp_path)
    assert set(values) == set(SERVED)
    for name, forecasts in values.items():
        published = np.array([row[1:] for row in stored if row[0] == name], dtype=np.float64)
        parts = (
            forecasts.mean[:, :, None],
            forecasts.scale[:, :, None],
            forecasts.quantiles,
            forecasts.p_up[:, :, None],
        )
        mine = np.concatenate(parts, axis=2).reshape(published.shape)
        assert np.array_equal(mine, published, equal_nan=True), name
        assert not np.isnan(mine[-1]).any()

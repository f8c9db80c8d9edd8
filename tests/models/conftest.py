"""Every model of the table, fitted once a session on two markets with a planted signal and gaps; and the real data."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from model_data import NAMES, features_of, market

from features.frame import FeatureFrame
from models.boosted import Boosted
from models.forecaster import Forecaster
from models.network import Network
from models.registry import MODELS
from models.xgboost_point import XGBoost
from models.zoo import ZOO
from settings import ROOT

SIGNAL = -0.25
TRAINING_ROWS = 6_500
# What is tested here does not depend on how large a model is.
Boosted.rounds = XGBoost.rounds = 40
Network.EPOCHS, Network.ROWS, Network.BATCH, Network.PASSES = 1, 2_500, 128, 6


@pytest.fixture(scope="session")
def training_frames() -> list[FeatureFrame]:
    """Two markets whose next return carries `SIGNAL` of the last one, a twentieth of the bars missing."""
    return [features_of(market(f"COIN{seed}", TRAINING_ROWS, seed, SIGNAL, gaps=0.05)) for seed in (1, 2)]


def fit(
    table: Mapping[str, Callable[[tuple[str, ...]], Forecaster]], frames: list[FeatureFrame]
) -> dict[str, Forecaster]:
    models: dict[str, Forecaster] = {}
    for name, model in table.items():
        models[name] = model(NAMES)
        models[name].fit(frames, seed=3)
    return models


@pytest.fixture(scope="session")
def fitted(training_frames: list[FeatureFrame]) -> dict[str, Forecaster]:
    """Every model that can be served, fitted on the training frames."""
    return fit(MODELS, training_frames)


@pytest.fixture(scope="session")
def retrained(training_frames: list[FeatureFrame]) -> dict[str, Forecaster]:
    """Other versions of the same models, fitted on less."""
    return fit(MODELS, [frame[:5_000] for frame in training_frames])


@pytest.fixture(scope="session")
def fitted_zoo(fitted: dict[str, Forecaster], training_frames: list[FeatureFrame]) -> dict[str, Forecaster]:
    """Those and the rest of the zoo."""
    return fitted | fit({name: model for name, model in ZOO.items() if name not in fitted}, training_frames)


@pytest.fixture(scope="session")
def unseen() -> FeatureFrame:
    """A third market of the same kind, with gaps."""
    return features_of(market("COIN3", 6_000, 7, SIGNAL, gaps=0.05))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; the test is skipped where it is absent."""
    folder = Path(os.environ.get("FORETICK_SHARED", str(ROOT.parent / "shared"))) / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set FORETICK_SHARED to the folder that holds data/")
    return folder

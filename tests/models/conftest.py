"""Every model of the table, fitted once a session on two markets with a planted signal and gaps; and the real data."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from model_data import NAMES, features_of, market

from features.frame import FeatureFrame
from models.forecaster import Forecaster
from models.networks.network import Network
from models.registry.names import DEFAULT_MODELS
from models.registry.zoo import ZOO
from models.trees.boosted import Boosted
from models.trees.xgboost_point import XGBoost
from settings import ROOT

SIGNAL = -0.25
TRAINING_ROWS = 6_500
SMALL: tuple[tuple[type, str, int], ...] = (
    *((model, "rounds", 40) for model in (Boosted, XGBoost)),
    *((Network, *size) for size in (("EPOCHS", 1), ("ROWS", 2_500), ("BATCH", 128), ("PASSES", 6))),
)
"""What is tested here does not depend on how large a model is."""
SMALLER = pytest.MonkeyPatch()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Make the models small for the tests of this folder alone: other tests of the process load them elsewhere.

    A hook and no fixture, since the models are fitted by fixtures of the session, which are made before any other.
    """
    for model, name, value in SMALL:
        SMALLER.setattr(model, name, value)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Restore them."""
    SMALLER.undo()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs the whole zoo waits until it is fitted."""
    for item in items:
        if "fitted_zoo" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def training_frames() -> list[FeatureFrame]:
    """Two markets whose next return carries `SIGNAL` of the last one, a twentieth of the bars missing."""
    return [features_of(market(f"COIN{seed}", TRAINING_ROWS, seed, SIGNAL, gaps=0.05)) for seed in (1, 2)]


class Fitted(Mapping[str, Forecaster]):
    """Models by name, each fitted when it is first asked for: who tests one does not wait for the others."""

    def __init__(self, names: tuple[str, ...], frames: list[FeatureFrame]) -> None:
        self._names, self._frames = names, frames
        self._fitted: dict[str, Forecaster] = {}

    def __getitem__(self, name: str) -> Forecaster:
        if name not in self._fitted:
            model = ZOO[name](NAMES)
            model.fit(self._frames, seed=3)
            self._fitted[name] = model
        return self._fitted[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@pytest.fixture(scope="session")
def fitted(training_frames: list[FeatureFrame]) -> Fitted:
    """Every model that can be served, fitted on the training frames."""
    return Fitted(DEFAULT_MODELS, training_frames)


@pytest.fixture(scope="session")
def retrained(training_frames: list[FeatureFrame]) -> Fitted:
    """Other versions of the same models, fitted on less."""
    return Fitted(DEFAULT_MODELS, [frame[:5_000] for frame in training_frames])


@pytest.fixture(scope="session")
def fitted_zoo(training_frames: list[FeatureFrame]) -> Fitted:
    """Every model of the zoo."""
    return Fitted(ZOO, training_frames)


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

"""The training loop: bars to features, by the stream's own fold, to fitted models."""

from collections.abc import Callable, Sequence

from features.frame import BarFrame, FeatureFrame
from features.step import FeatureStep
from models.forecaster import Forecaster
from models.registry import MODELS


def features(bars: Sequence[BarFrame]) -> list[FeatureFrame]:
    """Return the features of each symbol's bars: one frame a symbol in, one out."""
    step = FeatureStep()
    return [step.step(step.initial(), frame)[1] for frame in bars]


def train(bars: Sequence[BarFrame], seed: int, progress: Callable[[str], None] = lambda _: None) -> list[Forecaster]:
    """Return every model, fitted on the bars, one frame a symbol; `progress` is told each model's name first.

    Raises ValueError with one line where the bars are too few.
    """
    frames = features(bars)
    forecasters: list[Forecaster] = []
    for name, model in MODELS.items():
        progress(name)
        forecaster = model(FeatureStep.names)
        forecaster.fit(frames, seed)
        forecasters.append(forecaster)
    return forecasters

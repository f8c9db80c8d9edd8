"""The training loop: bars to regimes, then to features by the stream's own fold, then to fitted models."""

from collections.abc import Callable, Sequence

from features import hmm
from features.definition import Definition
from features.frame import BarFrame, FeatureFrame
from features.step import FeatureStep
from models.forecaster import Forecaster
from models.registry import MODELS


def define(bars: Sequence[BarFrame]) -> Definition:
    """Return the features' definition with what is fitted to the bars, one frame a symbol."""
    return Definition(hmm.fit([piece for frame in bars for piece in hmm.observations(frame)]))


def features(bars: Sequence[BarFrame], definition: Definition) -> list[FeatureFrame]:
    """Return the features of each symbol's bars: one frame a symbol in, one out."""
    step = FeatureStep(definition)
    return [step.step(step.initial(), frame)[1] for frame in bars]


def train(
    bars: Sequence[BarFrame], seed: int, progress: Callable[[str], None] = lambda _: None
) -> tuple[Definition, list[Forecaster]]:
    """Return the features' definition and every model, fitted on the bars, one frame a symbol.

    `progress` is told what is fitted next: "features", then each model's name.
    Raises ValueError with one line where the bars are too few.
    """
    progress("features")
    definition = define(bars)
    frames = features(bars, definition)
    forecasters: list[Forecaster] = []
    for name, model in MODELS.items():
        progress(name)
        forecaster = model(definition.names)
        forecaster.fit(frames, seed)
        forecasters.append(forecaster)
    return definition, forecasters

"""The training loop: bars to features, by the stream's own fold, to fitted models."""

from collections.abc import Callable, Mapping, Sequence

from features.cross_section import join
from features.frame import BarFrame, FeatureFrame
from features.step import FeatureStep
from models.forecaster import Forecaster
from models.registry import MODELS

ALONE: Mapping[str, float] = {}
"""The universe without a symbol."""


def features(bars: Sequence[BarFrame], universe: Mapping[str, float] = ALONE) -> list[FeatureFrame]:
    """Return the features of each symbol's bars: one frame a symbol in, one out.

    `universe` has the weight of each symbol that makes up the market.
    """
    step = FeatureStep()
    return [step.step(step.initial(), frame)[1] for frame in join(bars, universe)]


def train(
    bars: Sequence[BarFrame],
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
    universe: Mapping[str, float] = ALONE,
) -> list[Forecaster]:
    """Return every model, fitted on the bars, one frame a symbol; `progress` is told each model's name first.

    `universe` is that of the stream which the models are to serve. Raises ValueError with one line where the bars are
    too few.
    """
    frames = features(bars, universe)
    forecasters: list[Forecaster] = []
    for name, model in MODELS.items():
        progress(name)
        forecaster = model(FeatureStep.names)
        forecaster.fit(frames, seed)
        forecasters.append(forecaster)
    return forecasters

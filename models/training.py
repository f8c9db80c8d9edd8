"""The training loop: bars to regimes, then to features by the stream's own fold, then to fitted models."""

from collections.abc import Callable, Mapping, Sequence

from features import hmm
from features.cross_section import join
from features.definition import Definition
from features.frame import BarFrame, FeatureFrame
from features.step import FeatureStep
from models.combiner import Combination
from models.registry import MODELS, Served, classes

ALONE: Mapping[str, float] = {}
"""The universe without a symbol."""


def define(bars: Sequence[BarFrame], timeframes: tuple[str, ...] = (), columns: tuple[str, ...] = ()) -> Definition:
    """Return the features' definition with what is fitted to the bars, one frame a symbol."""
    return Definition(hmm.fit([piece for frame in bars for piece in hmm.observations(frame)]), timeframes, columns)


def features(
    bars: Sequence[BarFrame], definition: Definition, universe: Mapping[str, float] = ALONE
) -> list[FeatureFrame]:
    """Return the features of each symbol's bars: one frame a symbol in, one out.

    `universe` has the weight of each symbol that makes up the market.
    """
    step = FeatureStep(definition)
    return [step.features(step.initial(), frame)[1] for frame in join(bars, universe)]


def train(
    bars: Sequence[BarFrame],
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
    universe: Mapping[str, float] = ALONE,
    timeframes: tuple[str, ...] = (),
    columns: tuple[str, ...] = (),
    models: tuple[str, ...] = (),
    detail: Callable[[str], None] = lambda _: None,
) -> tuple[Definition, list[Served]]:
    """Return the features' definition and the named models, fitted on the bars, one frame a symbol.

    `progress` is told what is fitted next: "features", then each model's name; `detail` is told of each epoch.
    `universe`, `timeframes` and `columns` are those of the stream which the models are to serve; without a name in
    `models` those of `registry.MODELS` do. Raises ValueError with one line where the bars are too few, a column or
    model is unknown, or a model needs a column that is not there.
    """
    wanted = classes(models or MODELS)
    progress("features")
    definition = define(bars, timeframes, columns)
    frames = features(bars, definition, universe)
    fitted: list[Served] = []
    for name, model in wanted.items():
        progress(name)
        if issubclass(model, Combination):
            fitted.append(model(definition.names, fingerprint=definition.fingerprint))
            continue
        forecaster = model(definition.names)
        if hasattr(forecaster, "progress"):
            forecaster.progress = detail
        forecaster.fit(frames, seed)
        fitted.append(forecaster)
    return definition, fitted

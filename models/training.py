"""The training loop: bars to regimes, then to features by the stream's own fold, then to fitted models."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from features import hmm
from features.cross_section import join
from features.definition import Definition
from features.frame import BarFrame, FeatureFrame
from features.step import FeatureStep
from models.combiner import Combination
from models.forecaster import Forecaster
from models.parameters import ByModel, made
from models.reference import Reference
from models.registry import MODELS, Served, classes
from models.space import NONE, Parameters

ALONE: Mapping[str, float] = {}
"""The universe without a symbol."""
UNTUNED: ByModel = MappingProxyType({})


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


def reference(
    bars: Sequence[BarFrame], definition: Definition, seed: int, universe: Mapping[str, float] = ALONE
) -> Reference:
    """Return what later rows are compared with, to see how far they are from these bars."""
    return Reference.fit(features(bars, definition, universe), definition.names, seed)


def train(
    bars: Sequence[BarFrame],
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
    universe: Mapping[str, float] = ALONE,
    timeframes: tuple[str, ...] = (),
    columns: tuple[str, ...] = (),
    models: tuple[str, ...] = (),
    detail: Callable[[str], None] = lambda _: None,
    parameters: ByModel = UNTUNED,
) -> tuple[Definition, list[Served]]:
    """Return the features' definition and the named models, fitted on the bars, one frame a symbol.

    `progress` is told what is fitted next: "features", then each model's name; `detail` is told of each epoch.
    `universe`, `timeframes` and `columns` are those of the stream which the models are to serve; without a name in
    `models` those of `registry.MODELS` do. `parameters` are by model; one that is not there has its defaults. Raises
    ValueError with one line where the bars are too few, a column, model or parameter is unknown, or a model needs a
    column that is not there.
    """
    wanted = classes(models or MODELS)
    progress("features")
    definition = define(bars, timeframes, columns)
    frames = features(bars, definition, universe)
    fitted: list[Served] = []
    for name, model in wanted.items():
        progress(name)
        fitted.append(fit(model, definition, frames, seed, parameters.get(name, NONE), detail))
    return definition, fitted


def fit(
    model: type[Any],
    definition: Definition,
    frames: list[FeatureFrame],
    seed: int,
    parameters: Parameters = NONE,
    detail: Callable[[str], None] = lambda _: None,
    checkpoint: Path | None = None,
) -> Served:
    """Return one model, fitted on the features of all symbols; a combination has nothing to fit.

    A network goes on from its `checkpoint`, a file, where that is of the same training. Raises ValueError with one line
    as `train` does.
    """
    if issubclass(model, Combination):
        combination: Served = model(definition.names, fingerprint=definition.fingerprint)
        return combination
    forecaster: Forecaster = made(model, definition.names, parameters)
    if hasattr(forecaster, "progress"):
        forecaster.progress = detail
    if hasattr(forecaster, "checkpoint"):
        forecaster.checkpoint = checkpoint
    forecaster.fit(frames, seed)
    return forecaster

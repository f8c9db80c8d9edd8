"""The training loop: bars to regimes, then to features by the stream's own fold, then to fitted models."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from features import hmm
from features.cross_section import join
from features.definition import Definition
from features.frame import BarFrame, FeatureFrame
from features.step import FeatureStep
from models.combine.combiner import Combination
from models.drift.reference import Reference
from models.registry.model_registry import Served, ServedClass, classes
from models.registry.names import DEFAULT_MODELS
from models.registry.parameters import ByModel
from models.search_space import NONE, Parameters

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
    """Return the reference for the distance of later rows from these bars."""
    return Reference.fit(features(bars, definition, universe), definition.names, seed)


def train(
    bars: Sequence[BarFrame],
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
    universe: Mapping[str, float] = ALONE,
    timeframes: tuple[str, ...] = (),
    columns: tuple[str, ...] = (),
    models: tuple[str, ...] = (),
    detail: Callable[[str], None] | None = None,
    parameters: ByModel = UNTUNED,
    definition: Definition | None = None,
) -> tuple[Definition, list[Served]]:
    """Return the features' definition and the named models, fitted on the bars, one frame a symbol.

    `progress` is called with what is fitted next: "features", then each model's name; `detail` for each round or epoch.
    `universe`, `timeframes` and `columns` are those of the stream which the models are to serve; without a name in
    `models` the default ones do. `parameters` are by model; others have their defaults. A given `definition`
    is used unchanged, with its timeframes and columns; else one is fitted. Raises ValueError with one line if the bars
    are too few, a column, model or parameter is unknown, or a model needs a column that is not there.
    """
    wanted = classes(models or DEFAULT_MODELS)
    progress("features")
    definition = definition or define(bars, timeframes, columns)
    frames = features(bars, definition, universe)
    fitted: list[Served] = []
    for name, model in wanted.items():
        progress(name)
        fitted.append(fit(model, definition, frames, seed, parameters.get(name, NONE), detail))
    return definition, fitted


def fit(
    model: ServedClass,
    definition: Definition,
    frames: list[FeatureFrame],
    seed: int,
    parameters: Parameters = NONE,
    detail: Callable[[str], None] | None = None,
    checkpoint: Path | None = None,
) -> Served:
    """Return one model, fitted on the features of all symbols; a combination has nothing to fit.

    A network resumes from its `checkpoint`, a file, if that is of the same training. Raises ValueError with one line
    as `train` does.
    """
    if issubclass(model, Combination):
        return model(definition.names, fingerprint=definition.fingerprint)
    forecaster = model(definition.names, parameters=parameters)
    forecaster.progress, forecaster.checkpoint = detail, checkpoint
    forecaster.fit(frames, seed)
    return forecaster

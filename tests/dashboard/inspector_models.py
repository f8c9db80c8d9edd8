"""Small models of several kinds, really trained on the bundled sample, with stored bars and forecasts of their own."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec
import storing

from features.definition import Definition
from features.frame import FeatureFrame
from learning.runs.step_results import WalkForwardSkill
from learning.tracking.learning_curve import Curve
from models import training
from models.registry import model_registry, provenance
from models.registry.model_registry import Served, classes
from models.search_space import Parameters
from models.serving.predictor import Predictor
from sources.reading.bars import read_bars
from stack import sample
from topics.catalog import FEATURES, PREDICTIONS

BARS = 4_500
OF_NETWORKS = 1_200
"""A network is fitted on less: how large it is does not matter here."""
STORED = 400
KINDS: dict[str, Parameters] = {"naive": {}, "ar": {}, "gbm": {"rounds": 20}, "transformer": {}, "ensemble": {}}


def train(home: Path, kinds: Collection[str] = tuple(KINDS)) -> list[FeatureFrame]:
    """Store models, and a second version of the linear one, below <home>/models; return the features of all bars.

    `kinds` has the linear one, `ar`.
    """
    folder = home / "models"
    bars = [frame[:BARS] for frame in read_bars(sample.FILES, "1m")]
    definition = Definition()
    frames = training.features(bars, definition)
    origin = provenance.of(bars, definition.fingerprint, 3, commit="0123abc")
    fitted: list[Served] = []
    for name in kinds:
        parameters = KINDS[name]
        seen = [frames[0][:OF_NETWORKS]] if name == "transformer" else frames
        model, curve = _fit(name, definition, seen, parameters)
        own = msgspec.structs.replace(origin, parameters=dict(parameters))
        curve.save(model_registry.store(folder, model, own))
        fitted.append(model)
    (linear,) = (model for model in fitted if model.name == "ar")
    WalkForwardSkill(0.0123, 0.004, 14).save(folder / "ar" / linear.version)
    older, _ = _fit("ar", definition, [frame[:4_000] for frame in frames], {"clip": 3.0})
    early = provenance.of([frame[:4_000] for frame in bars], definition.fingerprint, 3, parameters={"clip": 3.0})
    model_registry.store(folder, older, early)
    definition.save(folder)
    model_registry.serve(folder, {model.name: model.version for model in fitted})
    return frames


def _fit(name: str, definition: Definition, frames: list[FeatureFrame], parameters: Parameters) -> tuple[Served, Curve]:
    curve = Curve()

    def told(words: str) -> None:
        curve.record(words)

    return training.fit(classes([name])[name], definition, frames, 3, parameters, told), curve


def store(home: Path, url: str, frames: Sequence[FeatureFrame]) -> None:
    """Store the last bars' features, and what the models in service forecast from them."""
    fingerprint = frames[0].fingerprint
    models = Predictor.of(model_registry.load_all(home / "models", fingerprint), Definition.load(home / "models").names)
    last = [frame[len(frame) - STORED :] for frame in frames]
    records: dict[Any, list[Any]] = {FEATURES: [], PREDICTIONS: []}
    for frame in last:
        records[FEATURES] += frame.records()
        records[PREDICTIONS] += models.step(models.initial(frame.symbol), frame)[1]
    storing.store(url, records)

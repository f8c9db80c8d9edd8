"""A market whose stored forecasts were really made by trained models, with bars, regimes and outcomes beside them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import inspector_models
import msgspec
from inspector_models import BARS, STORED
from storing import store

from features.definition import Definition
from features.frame import BarFrame
from features.step import FeatureStep
from models.drift.reference import Reference
from models.registry import listing, model_registry, provenance
from models.scoring import outcomes
from models.serving.predictor import Predictor
from models.serving.served_model import as_served
from models.trees.gbm import GBM
from sources.reading.bars import read_bars
from stack import sample
from topics import catalog
from topics.records import Bar

MINUTE = 60_000


def make(home: Path, url: str) -> int:
    """Train the models below <home>/models, fill the database, and return the time of the newest bar [epoch ms]."""
    frames = inspector_models.train(home)
    folder = home / "models"
    _bolder(folder)
    definition = Definition.load(folder)
    reference = Reference.fit(frames, definition.names, 3)
    reference.save(folder)
    for name, version in listing.serving(folder).items():
        origin = model_registry.provenance(folder, name, version)
        assert origin is not None
        provenance.write(folder / name / version, msgspec.structs.replace(origin, reference=reference.id))
    served = [
        replace(as_served(model), reference=reference)
        for model in model_registry.load_all(folder, frames[0].fingerprint)
    ]
    predictor, step = Predictor.of(served, definition.names), FeatureStep(definition)
    records: dict[Any, list[Any]] = {
        topic: [] for topic in (catalog.BARS, catalog.FEATURES, catalog.REGIMES, catalog.PREDICTIONS, catalog.OUTCOMES)
    }
    for bars in (frame[:BARS] for frame in read_bars(sample.FILES, "1m")):
        _, features, regimes = step.step(step.initial(), bars)
        first = int(bars.time[-STORED])
        last = features[len(features) - STORED :]
        predictions = predictor.step(predictor.initial(bars.symbol), last)[1]
        records[catalog.BARS] += _bars(bars[len(bars) - STORED :])
        records[catalog.FEATURES] += last.records()
        records[catalog.REGIMES] += [one for one in regimes if one.time >= first]
        records[catalog.PREDICTIONS] += predictions
        records[catalog.OUTCOMES] += outcomes.step(outcomes.initial(), predictions)[1]
    store(url, records)
    return int(frames[0].time[-1])


def _bolder(folder: Path) -> None:
    """Serve a gbm that believes half of what its trees say: of so little data all of it is shrunk to nothing."""
    serving = listing.serving(folder)
    gbm = model_registry.load_version(folder, "gbm", serving["gbm"])
    assert isinstance(gbm, GBM)
    gbm.shrinkage[:, 0] = 0.5
    origin = model_registry.provenance(folder, "gbm", serving["gbm"])
    model_registry.store(folder, gbm, origin)
    model_registry.serve(folder, {**serving, "gbm": gbm.version})


def _bars(frame: BarFrame) -> Sequence[Bar]:
    columns = zip(frame.time, frame.open, frame.high, frame.low, frame.close, frame.volume, strict=True)
    return [Bar(frame.symbol, frame.interval, int(time), *map(float, numbers)) for time, *numbers in columns]

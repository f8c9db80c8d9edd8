"""Models for a run: the default ones, and a second version of one that predicts beside the first."""

from pathlib import Path

from features.definition import Definition
from models import training
from models.registry import model_registry, provenance
from models.trees.gbm import GBM
from sources.reading.bars import read_bars
from stack.sample import FILES

BARS, SECOND_BARS = 6_000, 4_500


def two_versions(folder: Path) -> tuple[Path, str]:
    """Train on the first bars of the sample; return the folder, and the version of gbm that is not in service."""
    history = [frame[:BARS] for frame in read_bars(FILES, "1m")]
    fitted = training.train(history, 0)
    model_registry.save(folder, *fitted, provenance.of(history, fitted[0].fingerprint, 0))
    definition = Definition.load(folder)
    shorter = [frame[:SECOND_BARS] for frame in history]
    second = GBM(definition.names)
    second.fit(training.features(shorter, definition), seed=5)
    model_registry.store(folder, second, provenance.of(shorter, definition.fingerprint, 5))
    return folder, second.version

"""Logs a registered version whose training was not tracked: its provenance, curve and importance."""

from pathlib import Path

from learning.tracking.learning_curve import Curve
from learning.tracking.log_training import log_importance, log_training
from learning.tracking.run import MlflowRun
from models.registry import provenance


def log_version(run: MlflowRun, model: str, version: str, folder: Path) -> None:
    """Log the files beside an artifact in `folder`; the model itself, and its library, are not loaded."""
    origin = provenance.read(folder)
    if origin is not None:
        log_training(run, model, version, origin)
    Curve.load(folder).log(run)
    log_importance(run, model, folder)

"""Logs a training to MLflow: parameters, data, learning curve, and importance of the inputs."""

from pathlib import Path

import msgspec

from evaluation.number_format import span
from learning.tracking import plots
from learning.tracking.description import data, described, labels
from learning.tracking.learning_curve import Curve, losses
from learning.tracking.registered_versions import VERSION
from learning.tracking.run import MlflowRun
from models.importance import Importance
from models.registry.provenance import Provenance


def log_training(run: MlflowRun, model: str, version: str, origin: Provenance, seconds: float | None = None) -> None:
    """Log a version's provenance, and the duration of its training."""
    run.params(
        {
            **origin.parameters,
            "model": model,
            "seed": origin.seed,
            "symbols": ", ".join(origin.symbols),
            "span": span(origin.first, origin.last),
            "bars": origin.rows,
            "features": origin.fingerprint,
            "data sha256": origin.data_sha256,
        }
    )
    run.tags({VERSION: version, **labels(origin), "mlflow.note.content": described(version, origin)})
    log_data(run, origin)
    run.metric("training/seconds", seconds)


def log_data(run: MlflowRun, origin: Provenance) -> None:
    """Log the training data; the page shows them beside the run's name."""
    facts = {"symbols": origin.symbols, "first": origin.first, "last": origin.last, "bars": origin.rows}
    run.data(data(origin), origin.data_sha256, msgspec.json.encode(facts).decode())


def log_importance(run: MlflowRun, model: str, folder: Path) -> None:
    """Log the importance of a model's inputs, if it is stored beside its artifact: as a table and as a plot."""
    importance = Importance.load(folder)
    if importance is not None:
        run.table(
            {"input": list(importance.shares), "share percent": list(importance.shares.values())}, "importance.json"
        )
        run.text(plots.importance(model, importance), "plots/importance.svg")


class FitLog:
    """Logs the progress and the end of a fit to a run; saves its curve beside the artifact.

    Epochs are logged as they end; a booster's rounds are many per second, and are logged at the end.
    """

    def __init__(self, run: MlflowRun) -> None:
        self._run, self._curve = run, Curve()

    def told(self, words: str) -> None:
        """Parse a message of the fit; those not about an epoch or round are ignored."""
        if self._curve.record(words) == "epoch":
            step, *both = self._curve.points["epoch"][-1]
            self._run.metrics(dict(zip(losses("epoch"), both, strict=True)), step)

    def stored(self, model: str, folder: Path) -> None:
        """Log the rest of the curve, and the files beside the artifact in `folder`."""
        self._curve.save(folder)
        self._curve.log(self._run, "round")
        log_importance(self._run, model, folder)

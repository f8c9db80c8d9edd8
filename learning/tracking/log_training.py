"""Logs a training to MLflow: parameters, data, learning curve, and importance of the inputs."""

from pathlib import Path
from time import monotonic

import msgspec

from evaluation.number_format import span
from learning.tracking import plots
from learning.tracking.description import data, described, labels
from learning.tracking.learning_curve import Curve, losses
from learning.tracking.registered_versions import VERSION
from learning.tracking.run import MlflowRun
from models.importance import Importance
from models.registry.provenance import Provenance

ROUNDS_EVERY_S = 2.0


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

    Epochs are logged as they end; a booster's rounds are many per second, and are logged together every few seconds.
    """

    def __init__(self, run: MlflowRun, every_s: float = ROUNDS_EVERY_S) -> None:
        self._run, self._curve, self._every_s = run, Curve(), every_s
        self._logged: dict[str, int] = {}
        self._logged_at = monotonic()

    def told(self, words: str) -> None:
        """Parse a message of the fit; those not about an epoch or round are ignored."""
        counted = self._curve.record(words)
        if counted == "epoch":
            step, *both = self._curve.points["epoch"][-1]
            self._run.metrics(dict(zip(losses("epoch"), both, strict=True)), step)
        elif counted is not None and monotonic() - self._logged_at >= self._every_s:
            self._rounds()

    def stored(self, model: str, folder: Path) -> None:
        """Log the rest of the curve, and the files beside the artifact in `folder`."""
        self._curve.save(folder)
        self._rounds()
        log_importance(self._run, model, folder)

    def _rounds(self) -> None:
        """Log the rounds that are not logged yet."""
        self._curve.log(self._run, "round", after=self._logged)
        self._logged = {counted: len(points) for counted, points in self._curve.points.items()}
        self._logged_at = monotonic()

"""What every training tells MLflow: with what, from which data, and the curve of its epochs."""

import re
from collections.abc import Callable

import msgspec

from evaluation.wording import span
from learning.describe import data, described, labels
from learning.tracking import Run
from learning.versions import VERSION
from models.provenance import Provenance

EPOCH = re.compile(r"epoch (\d+) of \d+: loss (\S+), held out (\S+)")
"""What the networks tell of an epoch (models/nets/training.py)."""


def log_training(run: Run, model: str, version: str, origin: Provenance, seconds: float | None = None) -> None:
    """Log where a version comes from, and how long its training took."""
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


def log_data(run: Run, origin: Provenance) -> None:
    """Log which data were trained on; the page shows them beside the run's name."""
    facts = {"symbols": origin.symbols, "first": origin.first, "last": origin.last, "bars": origin.rows}
    run.data(data(origin), origin.data_sha256, msgspec.json.encode(facts).decode())


def epochs(run: Run) -> Callable[[str], None]:
    """Return what takes a training's words on each epoch and makes a curve of them; other words it lets pass."""

    def told(words: str) -> None:
        found = EPOCH.fullmatch(words)
        if found:
            epoch, loss, held_out = found.groups()
            run.metrics({"epochs/loss in training": float(loss), "epochs/loss held out": float(held_out)}, int(epoch))

    return told

"""Applies the best parameters: saves them for all later trainings, and starts a version with them as a challenger."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from features.definition import FILE, Definition
from features.frame import BarFrame
from learning.deployment.ledger import Ledger, LedgerError
from learning.tracking.code_version import commit
from learning.tuning.tuning_result import TuningResult
from models import training
from models.forecaster import Forecaster
from models.registry import model_registry, parameters, provenance
from settings import Settings
from topics.records import Deployment


class Applied(NamedTuple):
    """The result: the file of parameters, the version and its folder, its deployment, or why there is none."""

    parameters: Path
    version: str | None = None
    path: Path | None = None
    deployment: Deployment | None = None
    why_not: str = ""


def apply(
    settings: Settings,
    model: type[Forecaster],
    tuning_result: TuningResult,
    why: str,
    bars: Sequence[BarFrame],
    seed: int,
    on_message: Callable[[str], None] = lambda _: None,
) -> Applied:
    """Save the best parameters, train the model with them on all the bars, store the version and start it as a
    challenger.

    It is trained on the features in service, so that it can be deployed while the stream runs; without them, only the
    parameters are saved. Raises ValueError with one line if the model cannot be fitted: then nothing is saved.
    """
    folder, best = settings.home / "models", tuning_result.parameters
    if not (folder / FILE).exists():
        kept = parameters.write(folder, model.name, best)
        return Applied(kept, why_not="no models are in service: foretick train trains with these parameters")
    definition = Definition.load(folder)
    on_message("features")
    frames = training.features(bars, definition, settings.universe)
    on_message(f"fitting {model.name}")
    fitted = training.fit(model, definition, frames, seed, best, on_message)
    code, run = commit(), tuning_result.run_id
    origin = provenance.of(bars, definition.fingerprint, seed, commit=code, parameters=best, run_id=run)
    path = model_registry.store(folder, fitted, origin)
    kept = parameters.write(folder, model.name, best)
    try:
        made = Ledger(settings).decide(
            model.name, "challenge", fitted.version, decided_by="tuning", why=why, evidence=tuning_result.numbers()
        )
    except LedgerError as error:
        return Applied(kept, fitted.version, path, why_not=str(error))
    return Applied(kept, fitted.version, path, made)

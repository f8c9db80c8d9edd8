"""The best parameters put to use: kept for every training from now on, and a version of them among the challengers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from features.definition import FILE, Definition
from features.frame import BarFrame
from learning.code import commit
from learning.ledger import Ledger, LedgerError
from learning.verdict import Verdict
from models import parameters, provenance, registry, training
from settings import Settings
from topics.records import Deployment


class Applied(NamedTuple):
    """What was done: the file of parameters, the version and where it lies, its deployment, or why there is none."""

    parameters: Path
    version: str | None = None
    path: Path | None = None
    deployment: Deployment | None = None
    why_not: str = ""


def apply(
    settings: Settings,
    model: type[Any],
    found: Verdict,
    why: str,
    bars: Sequence[BarFrame],
    seed: int,
    told: Callable[[str], None] = lambda _: None,
) -> Applied:
    """Keep the best parameters, train the model with them on all the bars, store the version and let it challenge.

    It is trained on the features in service, so that it can be deployed while the stream runs; where none are, the
    parameters alone are kept. Raises ValueError with one line where the model cannot be fitted: then nothing is kept.
    """
    folder, best = settings.home / "models", found.parameters
    if not (folder / FILE).exists():
        kept = parameters.write(folder, model.name, best)
        return Applied(kept, why_not="no models are in service: foretick train trains with these parameters")
    definition = Definition.load(folder)
    told("features")
    frames = training.features(bars, definition, settings.universe)
    told(f"fitting {model.name}")
    fitted = training.fit(model, definition, frames, seed, best, told)
    code = commit() or None
    origin = provenance.of(bars, definition.fingerprint, seed, commit=code, parameters=best, run_id=found.run_id)
    path = registry.store(folder, fitted, origin)
    kept = parameters.write(folder, model.name, best)
    try:
        made = Ledger(settings).decide(
            model.name, "challenge", fitted.version, decided_by="tuning", why=why, evidence=found.numbers()
        )
    except LedgerError as error:
        return Applied(kept, fitted.version, path, why_not=str(error))
    return Applied(kept, fitted.version, path, made)

"""Loads one version and prints what is in it, in MessagePack: in a process of its own, so that no page waits.

A broken artifact, or a library that crashes, ends this process and not the dashboard; what it loaded is gone with it.
``python -m dashboard.inspector.version_details structure MODEL VERSION`` or
``... summary MODEL VERSION SYMBOL INTERVAL HORIZON`` or ``... explain MODEL VERSION SYMBOL INTERVAL HORIZON TIME``.
"""

import os
import sys

import msgspec

from models import artifact
from models.combine.combiner import Combination
from models.explain.explainer import WARM_UP, explain_served
from models.explain.explanation import Explanation
from models.explain.summary import Summary, summarise
from models.networks import training_epochs
from models.networks.training_epochs import TrainingEpoch
from models.registry import model_registry
from models.registry.listing import place
from models.registry.model_registry import load_version
from models.structure import Structure
from settings import Settings
from storage import bar_history
from storage.errors import StorageError

BARS = 2_000
"""The last bars that are read: the first half brings the model's state up to date."""
LATEST = 253_402_214_400_000
"""31 December 9999, the last day that a time can name: whatever is the newest bar is before it."""
NICE = 5


class LoadedDetails(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What was asked for, or why there is none in one line; a state was brought up to date by `bars` earlier ones.

    `epochs` are those of a network's training.
    """

    structure: Structure | None = None
    epochs: list[TrainingEpoch] = []
    epochs_problem: str = ""
    summary: Summary | None = None
    explanation: Explanation | None = None
    bars: int = 0
    error: str = ""


def structure(settings: Settings, name: str, version: str) -> LoadedDetails:
    """Return what a version consists of, and of a network, how its training went."""
    folder = settings.home / "models"
    parts = load_version(folder, name, version).structure()
    try:
        return LoadedDetails(structure=parts, epochs=training_epochs.read(place(folder, name, version)))
    except ValueError as error:
        return LoadedDetails(structure=parts, epochs_problem=str(error))


def summary(settings: Settings, name: str, version: str, symbol: str, interval: str, horizon: int) -> LoadedDetails:
    """Return what moved a version's forecasts of the last stored bars."""
    model = load_version(settings.home / "models", name, version)
    with bar_history.opened(settings.database_url.get_secret_value()) as connection:
        frame = bar_history.features(connection, symbol, interval, LATEST, BARS)
    if frame is None:
        return LoadedDetails(error=f"No {interval} bar of {symbol} is stored.")
    if frame.fingerprint != model.fingerprint:
        return LoadedDetails(
            error=f"The stored bars have features {frame.fingerprint}, this version was fitted on {model.fingerprint}: "
            "it cannot be asked about them."
        )
    if isinstance(model, Combination):
        return LoadedDetails(error=f"{name} adds up other models' forecasts: see its weights.")
    return LoadedDetails(summary=summarise(model, frame, horizon, model.explained_rows))


def explain(
    settings: Settings, name: str, version: str, symbol: str, interval: str, horizon: int, time: int
) -> LoadedDetails:
    """Return what each input added to one forecast, of the bar at that time [epoch ms], as `foretick explain` does."""
    folder = settings.home / "models"
    if not (place(folder, name, version) / artifact.FILE).exists():
        return LoadedDetails(
            error=f"Version {version} of {name} is no longer on disk: its forecasts cannot be explained."
        )
    with bar_history.opened(settings.database_url.get_secret_value()) as connection:
        frame = bar_history.features(connection, symbol, interval, time, WARM_UP + 1)
    if frame is None or int(frame.time[-1]) != time:
        return LoadedDetails(
            error="The features of that bar are not stored: there is nothing to explain the forecast from."
        )
    model = load_version(folder, name, version)
    if frame.fingerprint != model.fingerprint:
        return LoadedDetails(
            error=f"The stored features of that bar are of definition {frame.fingerprint}, this version was fitted on "
            f"{model.fingerprint}: it cannot be asked about them."
        )
    experts = model_registry.load_all(folder, frame.fingerprint) if isinstance(model, Combination) else []
    served = [*(one for one in experts if one.name != name), model]
    return LoadedDetails(explanation=explain_served(served, name, frame, horizon), bars=len(frame) - 1)


def answer(arguments: list[str]) -> LoadedDetails:
    """Return the answer to the command line; any error is one, in words."""
    settings = Settings()
    what, name, version, *rest = arguments
    try:
        if what == "structure":
            return structure(settings, name, version)
        symbol, interval, horizon, *time = rest
        if what == "explain":
            return explain(settings, name, version, symbol, interval, int(horizon), int(*time))
        return summary(settings, name, version, symbol, interval, int(horizon))
    except (ValueError, StorageError) as error:
        return LoadedDetails(error=str(error))
    except Exception as error:  # noqa: BLE001 - whatever a damaged artifact does, the page says it
        return LoadedDetails(error=f"The artifact cannot be loaded: {type(error).__name__}: {error}")


def main() -> None:
    """Answer the command line, at low priority."""
    os.nice(NICE)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer(sys.argv[1:])))


if __name__ == "__main__":
    main()

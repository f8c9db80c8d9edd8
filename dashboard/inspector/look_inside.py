"""Loads one version and prints what is in it, as one JSON object: in a process of its own, so that no page waits.

A broken artifact, or a library that crashes, ends this process and not the dashboard; what it loaded is gone with it.
``python -m dashboard.inspector.look_inside structure MODEL VERSION`` or
``... summary MODEL VERSION SYMBOL INTERVAL HORIZON``.
"""

import os
import sys

import msgspec

from models.combine.combiner import Combination
from models.explain.summary import Summary, summarise
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


class Answer(msgspec.Struct, omit_defaults=True):
    """What was asked for, or why there is none in one line."""

    structure: Structure | None = None
    summary: Summary | None = None
    error: str = ""


def structure(settings: Settings, name: str, version: str) -> Answer:
    """Return what a version consists of."""
    return Answer(structure=load_version(settings.home / "models", name, version).structure())


def summary(settings: Settings, name: str, version: str, symbol: str, interval: str, horizon: int) -> Answer:
    """Return what moved a version's forecasts of the last stored bars."""
    model = load_version(settings.home / "models", name, version)
    with bar_history.opened(settings.database_url.get_secret_value()) as connection:
        frame = bar_history.features(connection, symbol, interval, LATEST, BARS)
    if frame is None:
        return Answer(error=f"No {interval} bar of {symbol} is stored.")
    if frame.fingerprint != model.fingerprint:
        return Answer(
            error=f"The stored bars have features {frame.fingerprint}, this version was fitted on {model.fingerprint}: "
            "it cannot be asked about them."
        )
    if isinstance(model, Combination):
        return Answer(error=f"{name} adds up other models' forecasts: see its weights.")
    return Answer(summary=summarise(model, frame, horizon, model.explained_rows))


def answer(arguments: list[str]) -> Answer:
    """Return the answer to the command line; any error is one, in words."""
    settings = Settings()
    what, name, version, *rest = arguments
    try:
        if what == "structure":
            return structure(settings, name, version)
        symbol, interval, horizon = rest
        return summary(settings, name, version, symbol, interval, int(horizon))
    except (ValueError, StorageError) as error:
        return Answer(error=str(error))
    except Exception as error:  # noqa: BLE001 - whatever a damaged artifact does, the page says it
        return Answer(error=f"The artifact cannot be loaded: {type(error).__name__}: {error}")


def main() -> None:
    """Answer the command line, at low priority."""
    os.nice(NICE)
    sys.stdout.buffer.write(msgspec.json.encode(answer(sys.argv[1:])))


if __name__ == "__main__":
    main()

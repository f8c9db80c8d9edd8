"""Where `train` and `evaluate` are tracked: on the MLflow that `up` runs, or that the environment names."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from settings import Settings

if TYPE_CHECKING:
    from learning.tracking import Tracker

Track = Annotated[bool, typer.Option("--track/--no-track", help="Log to MLflow where its server answers.")]


def tracker(settings: Settings, wanted: bool, told: Callable[[str], None]) -> "Tracker":
    """Return what tracks where a server answers that `up` or the environment names, and nothing where none does.

    `told` gets a line where the environment's does not.
    """
    from learning.tracking import Tracker  # noqa: PLC0415 - psutil and models: time that no other command is to pay

    found = Tracker(settings.mlflow_uri.get_secret_value(), lambda line: told(f"{line}; not tracked"))
    # The default address alone may be anybody's.
    if not wanted or "mlflow_uri" not in settings.model_fields_set or not found.reachable():
        found.leave()
        if wanted and os.environ.get("FORETICK_MLFLOW_URI"):
            told(f"MLflow at {found.uri}: no answer; not tracked")
    return found

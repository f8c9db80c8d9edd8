"""The tracking of `train` and `evaluate`: on the MLflow of `up`, or the one named by the settings."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from settings import Settings
from settings.origins import is_chosen

if TYPE_CHECKING:
    from learning.tracking.tracker import Tracker

Track = Annotated[bool, typer.Option("--track/--no-track", help="Log to MLflow if its server answers.")]


def tracker(settings: Settings, wanted: bool, on_message: Callable[[str], None]) -> "Tracker":
    """Return a tracker if a server answers that `up` or the settings name, else None.

    `on_message` gets a line if the settings' does not.
    """
    from learning.tracking.tracker import Tracker

    result = Tracker(settings.mlflow_uri.get_secret_value(), lambda line: on_message(f"{line}; not tracked"))
    # The default address may be another user's server.
    if not wanted or "mlflow_uri" not in settings.model_fields_set or not result.reachable():
        result.leave()
        if wanted and is_chosen("mlflow_uri", settings):
            on_message(f"MLflow at {result.uri}: no answer; not tracked")
    return result

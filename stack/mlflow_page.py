"""MLflow's page as Foretick serves it: it opens on our runs, without the introduction to language models.

MLflow has no setting for this. Its page reads the browser's storage, which is filled before it starts; the user's own
choices are kept.
"""

import json
from pathlib import Path
from typing import Any

from learning.pages import EXPERIMENT, TRAINING, runs, without_login
from settings import Settings
from stack.basic_auth import USER

MODELS = f"/#/models?{TRAINING}"
CHOSEN = {
    "mlflow.workflowType_v1": "machine_learning",
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": True,
    "mlflow.telemetry.info.alert.dismissed_v1": True,
    "mlflow.settings.telemetry.enabled_v1": False,
    "_mlflow_model_registry_promo_modal_dismissed_v1": True,
}
"""The pages of model training; no assistant and no telemetry, which the server refuses, and no notices of them."""
HIDDEN = '[data-assistant-ui="true"] { display: none !important; }'
SCRIPT = """
for (const [key, value] of Object.entries(CHOSEN))
  if (localStorage.getItem(key) === null) localStorage.setItem(key, JSON.stringify(value));
if (!location.hash) location.replace("FIRST");
"""


def links(uri: str, secret: str) -> str:
    """Return in words the addresses of our server's runs and registered models, and the credentials' place."""
    address = without_login(uri)
    return f"runs {address}   registered models {address}{MODELS}   user {USER}, the password is in {secret}"


def address(settings: Settings) -> str | None:
    """Return MLflow's address for a browser, which opens on our runs; None if no server is configured."""
    text = settings.mlflow_page
    if not text and "mlflow_uri" in settings.model_fields_set:
        text = settings.mlflow_uri.get_secret_value()
    return without_login(text) if text.startswith(("http://", "https://")) else None


def page(html: str, experiment: str | None) -> str:
    """Return MLflow's page, which shows an experiment's runs first, or all experiments if ours does not exist yet."""
    first = (runs(experiment) if experiment else f"/#/experiments?{TRAINING}").removeprefix("/")
    script = SCRIPT.replace("CHOSEN", json.dumps(CHOSEN)).replace("FIRST", first)
    return html.replace("<head>", f"<head><style>{HIDDEN}</style><script>{script}</script>", 1)


def serve() -> None:
    """Make MLflow's server in this process serve its page so."""
    from flask import Response  # noqa: PLC0415 - only the server's process pays for it
    from mlflow.server import app, handlers  # noqa: PLC0415 - likewise

    html = (Path(str(app.static_folder)) / "index.html").read_text(encoding="utf-8")

    def ours() -> Response:
        store: Any = handlers._get_tracking_store()
        result = store.get_experiment_by_name(EXPERIMENT)
        experiment = None if result is None else str(result.experiment_id)
        return Response(page(html, experiment), mimetype="text/html", headers={"Cache-Control": "no-store"})

    app.view_functions["serve"] = ours

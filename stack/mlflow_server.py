"""MLflow's server as one process: ``python -m stack.mlflow_server``.

`mlflow server` would be two, with twice the memory, and would show the database's password in the list of processes.
"""

import argparse
import os
import sys
import warnings
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

from psycopg.conninfo import conninfo_to_dict

from settings import Settings, priority
from stack.addresses import HOST
from stack.basic_auth import USER
from stack.mlflow_gate import Gate

SCHEMA = "mlflow"
ARTIFACTS = "mlflow-artifacts"
STOP_S = 5
NICENESS = 5
"""No component waits for MLflow: while it starts, the worker may use the cores."""


def database(url: str) -> tuple[str, str]:
    """Return SQLAlchemy's URL of MLflow's tables, and separately the password.

    >>> database("postgresql://me:secret@db:5433/foretick")
    ('postgresql+psycopg:///?user=me&dbname=foretick&host=db&port=5433&options=-csearch_path%3Dmlflow', 'secret')
    """
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    password = parts.pop("password", "")
    parts["options"] = f"{parts.get('options', '')} -csearch_path={SCHEMA}".strip()
    return f"postgresql+psycopg:///?{urlencode(parts, quote_via=quote)}", password


def configure(settings: Settings) -> str:
    """Set MLflow's environment, and return the URL of its tables."""
    from mlflow.server import constants  # noqa: PLC0415 - only this process pays for it

    place, password = database(settings.database_url.get_secret_value())
    if password:
        os.environ["PGPASSWORD"] = password
    artifacts = settings.home.resolve() / ARTIFACTS
    os.environ |= {
        constants.BACKEND_STORE_URI_ENV_VAR: place,
        constants.ARTIFACT_ROOT_ENV_VAR: "mlflow-artifacts:/",
        constants.SERVE_ARTIFACTS_ENV_VAR: "true",
        constants.ARTIFACTS_DESTINATION_ENV_VAR: f"file://{quote(str(artifacts))}",
        # Else a page of another site could reach the server by DNS rebinding.
        "MLFLOW_SERVER_ALLOWED_HOSTS": f"{HOST}:*,localhost:*,{_server(settings).netloc.rpartition('@')[2]}",
        # The database allows sixty connections, and the stack needs most of them; each of two stores has a pool.
        "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "2",
        "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW": "6",
    }
    return place


def _server(settings: Settings) -> SplitResult:
    return urlsplit(settings.mlflow_uri.get_secret_value())


def serve(settings: Settings, address: str = HOST) -> None:
    """Bring MLflow's tables up to date and serve until SIGTERM or Ctrl-C, at the port of FORETICK_MLFLOW_URI."""
    server = _server(settings)
    password = unquote(server.password or "")
    if not password:
        sys.exit(f"FORETICK_MLFLOW_URI has no password: write it as http://{USER}:PASSWORD@{HOST}:5000")
    place = configure(settings)
    import uvicorn  # noqa: PLC0415 - and MLflow reads its environment when it is imported
    from mlflow.db import commands  # noqa: PLC0415 - likewise

    commands(["upgrade", place], standalone_mode=False)
    # Not ours to fix: MLflow serves its Flask pages by a deprecated part of Starlette.
    warnings.filterwarnings("ignore", "starlette.middleware.wsgi is deprecated")
    from mlflow.server.fastapi_app import app  # noqa: PLC0415 - after the tables

    from stack import mlflow_page  # noqa: PLC0415 - likewise
    from stack.mlflow_artifacts import confine  # noqa: PLC0415 - likewise

    mlflow_page.serve()
    confine(settings.home.resolve() / ARTIFACTS)
    port = server.port or 5000
    uvicorn.run(Gate(app, password), host=address, port=port, log_level="warning", timeout_graceful_shutdown=STOP_S)


def main() -> None:
    """Serve with the settings."""
    parser = argparse.ArgumentParser(prog="python -m stack.mlflow_server", description="Serve MLflow.")
    parser.add_argument(
        "--address", default=HOST, help="where to listen (0.0.0.0 in a container that publishes on loopback)"
    )
    priority.lower(NICENESS)
    # Not needed here: no jobs of language models, no telemetry.
    os.environ |= {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    serve(Settings(), parser.parse_args().address)


if __name__ == "__main__":
    main()

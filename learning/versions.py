"""Our versions in MLflow's registry of models: each once, with the files of its artifact."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from learning.describe import described, labels
from models import provenance

if TYPE_CHECKING:
    from mlflow import MlflowClient

PREFIX = "foretick-"
"""Before each name: the server may hold the models of others too."""
VERSION = "version"
"""The tag with our version: MLflow gives numbers of its own."""
FOLDER = "model"
"""Where the artifact lies in the run."""
ABOUT = (
    "The model `{model}` of Foretick. The aliases *champion*, *challenger* and *shadow* follow the log of deployments: "
    "they are set from there, and setting them here changes nothing."
)


def named(model: str) -> str:
    """Return a model's name in the registry."""
    return PREFIX + model


def numbers(client: "MlflowClient", model: str) -> dict[str, str]:
    """Return MLflow's number of each of our versions of a model, the lowest where there are two."""
    found: dict[str, int] = {}
    for version in client.search_model_versions(f"name = '{named(model)}'"):
        if VERSION in version.tags:
            own, number = version.tags[VERSION], int(version.version)
            found[own] = min(number, found.get(own, number))
    return {version: str(number) for version, number in found.items()}


def register(
    client: "MlflowClient", model: str, version: str, folder: Path, run_id: str, tags: Mapping[str, str]
) -> None:
    """Store an artifact's files in a run, and register them. Two processes at once leave one version."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - seconds that only who tracks is to pay
    from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode  # noqa: PLC0415

    client.log_artifacts(run_id, str(folder), FOLDER)
    if not client.search_registered_models(f"name = '{named(model)}'", max_results=1):
        try:
            client.create_registered_model(named(model), description=ABOUT.format(model=model))
        except MlflowException as error:  # another has made it meanwhile
            if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
                raise
    origin = provenance.read(folder)
    known = labels(origin) if origin else {}
    made = client.create_model_version(
        named(model),
        f"{client.get_run(run_id).info.artifact_uri}/{FOLDER}",
        run_id,
        tags={VERSION: version, **known, **tags},
        description=described(version, origin),
        await_creation_for=0,
    )
    if numbers(client, model)[version] != str(made.version):  # each of the two deletes its own, never the other's
        client.delete_model_version(named(model), str(made.version))

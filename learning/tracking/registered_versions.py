"""Our versions in MLflow's registry of models: each once, with the files of its artifact."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from learning.tracking.description import described, labels
from models.registry import provenance

if TYPE_CHECKING:
    from mlflow import MlflowClient

PREFIX = "foretick-"
"""The prefix of each name: the server may have the models of others too."""
VERSION = "version"
"""The tag with our version: MLflow has numbers of its own."""
FOLDER = "model"
"""The artifact's folder in the run."""
ABOUT = (
    "The model `{model}` of Foretick. The aliases *champion*, *challenger* and *standby* follow the log of "
    "deployments: they are set from there, and setting them here changes nothing."
)


def named(model: str) -> str:
    """Return a model's name in the registry."""
    return PREFIX + model


def numbers(client: "MlflowClient", model: str) -> dict[str, str]:
    """Return MLflow's number of each of our versions of a model, the lowest where there are two."""
    values: dict[str, int] = {}
    for version in client.search_model_versions(f"name = '{named(model)}'"):
        if VERSION in version.tags:
            own, number = version.tags[VERSION], int(version.version)
            values[own] = min(number, values.get(own, number))
    return {version: str(number) for version, number in values.items()}


def register(
    client: "MlflowClient", model: str, version: str, folder: Path, run_id: str, tags: Mapping[str, str]
) -> None:
    """Store an artifact's files in a run, and register them. Two processes at once leave one version."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - seconds that only who tracks is to pay
    from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode  # noqa: PLC0415 - likewise

    client.log_artifacts(run_id, str(folder), FOLDER)
    if not client.search_registered_models(f"name = '{named(model)}'", max_results=1):
        try:
            client.create_registered_model(named(model), description=ABOUT.format(model=model))
        except MlflowException as error:  # another process created it meanwhile
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

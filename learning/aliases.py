"""The aliases of the registered models, set from the log of deployments and from nothing else."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from learning import versions
from topics.records import Deployment

if TYPE_CHECKING:
    from mlflow import MlflowClient

OURS = re.compile(r"champion|shadow|challenger(-\d+)?")


def wanted(deployment: Deployment) -> dict[str, str]:
    """Return the version that each alias is to name.

    >>> wanted(Deployment("gbm", 3, "challenge", "a1", "f", 0, ["b2", "c3"], "d4"))
    {'champion': 'a1', 'challenger': 'b2', 'challenger-2': 'c3', 'shadow': 'd4'}
    """
    found = {"champion": deployment.champion} if deployment.champion else {}
    for place, version in enumerate(deployment.challengers, 1):
        found["challenger" if place == 1 else f"challenger-{place}"] = version
    return found | ({"shadow": deployment.shadow} if deployment.shadow else {})


def align(client: "MlflowClient", model: str, wanted: Mapping[str, str]) -> None:
    """Set what is not as wanted, and delete what of ours is not wanted; aliases of others' making stay."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - seconds that only who tracks is to pay
    from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode  # noqa: PLC0415

    name = versions.named(model)
    try:
        standing: dict[str, str] = {
            alias: str(number) for alias, number in client.get_registered_model(name).aliases.items()
        }
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            raise
        return  # nothing of the model was ever registered
    number = versions.numbers(client, model)
    right = {alias: number[version] for alias, version in wanted.items() if version in number}
    for alias in standing:
        if OURS.fullmatch(alias) and alias not in right:
            client.delete_registered_model_alias(name, alias)
    for alias, at in right.items():
        if standing.get(alias) != at:
            client.set_registered_model_alias(name, alias, at)

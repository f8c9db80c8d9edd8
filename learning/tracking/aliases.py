"""The aliases of the registered models, set only from the log of deployments."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from learning.tracking import registered_versions
from topics.records import Deployment

if TYPE_CHECKING:
    from mlflow import MlflowClient

OURS = re.compile(r"champion|standby|shadow|challenger(-\d+)?")
"""`shadow` is the old name of the standby: it is deleted where it still exists."""


def wanted(deployment: Deployment) -> dict[str, str]:
    """Return the version for each alias.

    >>> decided = {"model": "gbm", "number": 3, "action": "challenge", "fingerprint": "f", "time": 0}
    >>> wanted(Deployment(**decided, champion="a1", challengers=["b2", "c3"], standby="d4"))
    {'champion': 'a1', 'challenger': 'b2', 'challenger-2': 'c3', 'standby': 'd4'}
    """
    values = {"champion": deployment.champion} if deployment.champion else {}
    for place, version in enumerate(deployment.challengers, 1):
        values["challenger" if place == 1 else f"challenger-{place}"] = version
    return values | ({"standby": deployment.standby} if deployment.standby else {})


def align(client: "MlflowClient", model: str, wanted: Mapping[str, str]) -> None:
    """Set aliases that differ, and delete our superfluous ones; other aliases are unchanged."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - seconds that only who tracks is to pay
    from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode  # noqa: PLC0415 - likewise

    name = registered_versions.named(model)
    try:
        work_status: dict[str, str] = {
            alias: str(number) for alias, number in client.get_registered_model(name).aliases.items()
        }
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            raise
        return  # no version of the model was ever registered
    number = registered_versions.numbers(client, model)
    right = {alias: number[version] for alias, version in wanted.items() if version in number}
    for alias in work_status:
        if OURS.fullmatch(alias) and alias not in right:
            client.delete_registered_model_alias(name, alias)
    for alias, at in right.items():
        if work_status.get(alias) != at:
            client.set_registered_model_alias(name, alias, at)

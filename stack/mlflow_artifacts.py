"""Restricts the files of MLflow's server: below its one folder, without links, at locations chosen by the server."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlflow.entities import FileInfo
from mlflow.exceptions import MlflowException
from mlflow.store.artifact import artifact_repository_registry
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlLoggedModel, SqlRun
from sqlalchemy import event

PROXIED = "mlflow-artifacts"
INDIRECT = ("runs", "models", PROXIED)
"""The schemes of locations chosen by the server."""


class OwnFolder(LocalArtifactRepository):
    """Only files below `root`: a location elsewhere, or behind a symbolic link, does not exist."""

    root = Path("/nonexistent")

    def __init__(self, artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> None:
        super().__init__(artifact_uri, tracking_uri, registry_uri)
        self._ours(None)

    def _ours(self, path: str | None) -> None:
        """Raise MlflowException if a path is not below the root, or is a link, or is behind one."""
        wanted = os.path.normpath(Path(self.artifact_dir) / (path or ""))
        if not Path(wanted).is_relative_to(self.root) or os.path.realpath(wanted) != wanted:
            raise MlflowException.invalid_parameter_value("the location is not in the folder that this server keeps")

    def get_local_path(self, artifact_path: str) -> Any:
        """Return the path of a file."""
        self._ours(artifact_path)
        return super().get_local_path(artifact_path)

    def _get_or_create_artifact_dir(self, artifact_path: str | None = None) -> Any:
        self._ours(artifact_path)
        return super()._get_or_create_artifact_dir(artifact_path)

    def _is_directory(self, artifact_path: str) -> Any:
        self._ours(artifact_path)
        return super()._is_directory(artifact_path)  # type: ignore[no-untyped-call] # MLflow has no type for it

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """List a folder, without the links in it."""
        self._ours(path)
        results: list[FileInfo] = super().list_artifacts(path)  # type: ignore[no-untyped-call] # MLflow has no type for it
        return [info for info in results if not (Path(self.artifact_dir) / info.path).is_symlink()]

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        self._ours(remote_file_path)
        super()._download_file(remote_file_path, local_path)  # type: ignore[no-untyped-call] # MLflow has no type for it

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Delete a file or folder."""
        self._ours(artifact_path)
        super().delete_artifacts(artifact_path)  # type: ignore[no-untyped-call] # MLflow has no type for it

    def download_trace_data(self) -> Any:
        """Return a trace."""
        self._ours("traces.json")
        return super().download_trace_data()


def confine(root: Path) -> None:
    """Restrict this process to files below `root`, and refuse to store other locations.

    The first applies to any content of the database, also old content; the second reports the error to the client.
    """
    OwnFolder.root = root.resolve()
    known: dict[str, Any] = artifact_repository_registry.get_registered_artifact_repositories()
    for scheme in known.keys() - {*INDIRECT}:
        del known[scheme]
    known["file"] = OwnFolder
    chosen: tuple[Any, ...] = (SqlExperiment.artifact_location, SqlRun.artifact_uri, SqlLoggedModel.artifact_location)
    named: tuple[Any, ...] = (SqlModelVersion.source, SqlModelVersion.storage_location)
    for column in chosen:
        event.listen(column, "set", _only(PROXIED))
    for column in named:
        event.listen(column, "set", _only(*INDIRECT))


def _only(*schemes: str) -> Any:
    """Return a check that refuses locations of another scheme, or elsewhere."""

    def look(_row: object, value: object, _before: object, _how: object) -> None:
        parts = urlsplit(str(value))
        clean = not (parts.netloc or parts.query or parts.fragment or "%" in parts.path or "\\" in parts.path)
        if value and not (clean and parts.scheme in schemes and ".." not in parts.path.split("/")):
            raise MlflowException.invalid_parameter_value(
                f"location {str(value)[:200]!r}: leave it out, the server chooses the location"
            )

    return look

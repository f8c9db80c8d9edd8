"""Lists the versions below <home>/models, and those in service, without loading a model."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from models import artifact
from topics.limits import LABEL, VERSION

SERVING = "serving.json"


def serve(folder: Path, versions: Mapping[str, str]) -> None:
    """Replace the list of the models in service: the champion's version of each."""
    draft = folder / f".{SERVING}.draft"
    draft.write_bytes(msgspec.json.encode(versions))
    draft.replace(folder / SERVING)


def serving(folder: Path) -> dict[str, str]:
    """Return the version of each model in service. Raises ValueError with one line if there is no such list."""
    path = folder / SERVING
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except OSError as error:
        raise ValueError(f"{path}: no models in service ({error.strerror}); run foretick train") from error
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: not a list of models in service ({error}); run foretick train") from error


def place(folder: Path, name: str, version: str) -> Path:
    """Return the folder of a version's artifact below <home>/models.

    Raises ValueError with one line if model or version is no name of one: a path must never lead elsewhere.
    """
    for what, text, pattern in (("model", name, LABEL), ("version of a model", version, VERSION)):
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{text[:200]!r} is no {what}: it does not match {pattern}")
    return folder / name / version


def versions(folder: Path, name: str) -> list[str]:
    """Return the versions of a model below <home>/models, by name."""
    results = (path.parent.name for path in (folder / name).glob(f"*/{artifact.FILE}"))
    return sorted(version for version in results if not version.startswith("."))


def names(folder: Path) -> list[str]:
    """Return the models with a version below <home>/models, by name."""
    return sorted(path.name for path in folder.glob("*") if versions(folder, path.name))

"""Which versions lie below <home>/models, and which of them serve: files alone, no model is loaded."""

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
    """Return the version of each model in service. Raises ValueError with one line where there is no such list."""
    path = folder / SERVING
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except OSError as error:
        raise ValueError(f"{path}: no models in service ({error.strerror}); run foretick train") from error
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: not a list of models in service ({error}); run foretick train") from error


def place(folder: Path, name: str, version: str) -> Path:
    """Return where a version's artifact lies below <home>/models.

    Raises ValueError with one line where model or version is no name of one: a path must never lead elsewhere.
    """
    for what, text, pattern in (("model", name, LABEL), ("version of a model", version, VERSION)):
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{text[:200]!r} is no {what}: it does not match {pattern}")
    return folder / name / version


def versions(folder: Path, name: str) -> list[str]:
    """Return the versions of a model that lie below <home>/models, by name."""
    found = (path.parent.name for path in (folder / name).glob(f"*/{artifact.FILE}"))
    return sorted(version for version in found if not version.startswith("."))


def names(folder: Path) -> list[str]:
    """Return the models of which a version lies below <home>/models, by name."""
    return sorted(path.name for path in folder.glob("*") if versions(folder, path.name))

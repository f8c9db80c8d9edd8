"""Which versions lie below <home>/models, and which of them serve: files alone, no model is loaded."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from models import artifact

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


def versions(folder: Path, name: str) -> list[str]:
    """Return the versions of a model that lie below <home>/models, by name."""
    found = (path.parent.name for path in (folder / name).glob(f"*/{artifact.FILE}"))
    return sorted(version for version in found if not version.startswith("."))


def names(folder: Path) -> list[str]:
    """Return the models of which a version lies below <home>/models, by name."""
    return sorted(path.name for path in folder.glob("*") if versions(folder, path.name))

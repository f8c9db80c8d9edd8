"""The best parameters that were found: <home>/models/parameters.json, {model: {name: value}}."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from models.space import NONE, Parameters, Space, Value

FILE = "parameters.json"
Found = dict[str, dict[str, Value]]


def read(folder: Path) -> Found:
    """Return the parameters below <home>/models by model, none where nothing was tuned.

    Raises ValueError with one line where the file cannot be read. Who makes a model checks its values.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=Found)
    except (OSError, msgspec.DecodeError) as error:
        raise ValueError(f"{path}: no parameters by model ({error}); mend or remove it") from error


def write(folder: Path, model: str, parameters: Parameters) -> Path:
    """Put one model's parameters into the file, beside the others'; a reader sees the old file or the new one."""
    found = read(folder) | {model: dict(parameters)}
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{FILE}.draft"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(found, order="sorted")))
    return draft.replace(folder / FILE)


def space_of(model: type[Any]) -> Space:
    """Return what may be tuned of a model; nothing of some."""
    space: Space = getattr(model, "SPACE", {})
    return space


def made(model: type[Any], names: tuple[str, ...], parameters: Parameters = NONE) -> Any:
    """Return an unfitted model of these parameters.

    Raises ValueError with one line where it has none of that name, or not that value.
    """
    if not parameters:
        return model(names)
    if not space_of(model):
        raise ValueError(f"model {model.name!r} has no parameter {next(iter(parameters))!r}; it has none")
    return model(names, parameters=parameters)


ByModel = Mapping[str, Parameters]
"""Parameters by the models' names."""

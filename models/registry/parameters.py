"""The best parameters that were found: <home>/models/parameters.json, {model: {name: value}}."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from models.search_space import Parameters, Value

FILE = "parameters.json"
Found = dict[str, dict[str, Value]]


def read(folder: Path) -> Found:
    """Return the parameters below <home>/models by model, none if nothing was tuned.

    Raises ValueError with one line if the file cannot be read. Who makes a model checks its values.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=Found)
    except (OSError, msgspec.DecodeError) as error:
        raise ValueError(f"{path}: no parameters by model ({error}); correct or remove it") from error


def write(folder: Path, model: str, parameters: Parameters) -> Path:
    """Put one model's parameters into the file, beside the others'; atomically for readers."""
    values = read(folder) | {model: dict(parameters)}
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{FILE}.draft"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(values, order="sorted")))
    return draft.replace(folder / FILE)


ByModel = Mapping[str, Parameters]
"""Parameters by the models' names."""

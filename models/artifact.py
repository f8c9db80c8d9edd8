"""Model artifacts: a folder with model.json and, for a library with a format of its own, one more file. No pickle."""

import hashlib
from pathlib import Path

import msgspec

from models.json_type import JSON

FILE = "model.json"


def version(definition: JSON, extra: bytes = b"") -> str:
    """Return the first twelve hex digits of the SHA-256 of the fitted model."""
    return hashlib.sha256(msgspec.json.encode(definition, order="sorted") + extra).hexdigest()[:12]


def write(folder: Path, definition: JSON) -> None:
    """Write model.json into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(definition)))


def read(folder: Path, model: str) -> JSON:
    """Return the definition in model.json.

    Raises ValueError with one line if there is none, or it is another model's.
    """
    path = folder / FILE
    try:
        definition = msgspec.json.decode(path.read_bytes(), type=dict)
    except OSError as error:
        raise ValueError(f"{path}: no artifact of model {model!r} ({error.strerror}); run foretick train") from error
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: not an artifact of model {model!r} ({error}); run foretick train") from error
    if definition.get("model") != model:
        raise ValueError(f"{path}: an artifact of model {definition.get('model')!r}, not of {model!r}")
    return definition


def sha256(data: bytes) -> str:
    """Return the SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def read_bytes(path: Path, expected: str) -> bytes:
    """Return a file of the artifact. Raises ValueError with one line if it is missing or was changed."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror}); run foretick train") from error
    if sha256(data) != expected:
        raise ValueError(f"{path}: its SHA-256 is not the one in {FILE}: the artifact was changed; run foretick train")
    return data


def read_text(path: Path, expected: str) -> str:
    """Return the text of a file of the artifact. Raises ValueError with one line if it is missing or was changed."""
    return read_bytes(path, expected).decode()

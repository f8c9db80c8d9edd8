"""Secret settings in files of their own: FORETICK_<NAME>_FILE names one, as images and clusters give out passwords."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from settings.unknown_variables import PREFIX

SUFFIX = "_FILE"


@dataclass(frozen=True)
class SecretFiles:
    """What the files that are named say by the setting's name, and a line for each that cannot be used."""

    values: Mapping[str, str]
    faults: tuple[str, ...] = ()


def secrets(fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    """Yield the names of the settings that are secret."""
    return (name for name, field in fields.items() if field.annotation is SecretStr)


def names(fields: Mapping[str, FieldInfo]) -> list[str]:
    """Return the names of all variables that set something, without the prefix, in small letters."""
    return [*fields, *(f"{name}{SUFFIX.lower()}" for name in secrets(fields))]


def variable(name: str, environment: Mapping[str, str]) -> str | None:
    """Return the variable that names a setting's file, None if none does; an empty one names nothing."""
    wanted = f"{PREFIX}{name.upper()}{SUFFIX}"
    return next((one for one, path in environment.items() if one.upper() == wanted and path), None)


def read(fields: Mapping[str, FieldInfo], environment: Mapping[str, str]) -> SecretFiles:
    """Read the files that the environment names, without the space around their text."""
    values, faults = {}, []
    for name in secrets(fields):
        if (found := variable(name, environment)) is None:
            continue
        try:
            values[name] = _text(Path(environment[found]).expanduser())
        except ValueError as error:
            faults.append(f"{found}: {error}")
    return SecretFiles(values, tuple(faults))


def _text(path: Path) -> str:
    """Return a file's text. Raises ValueError with the path and the reason."""
    if not path.is_absolute():
        raise ValueError(f"{path} is to begin with / or ~, as each process has another current folder")
    try:
        text = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no UTF-8 text") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    if not text:
        raise ValueError(f"{path} is empty")
    return text

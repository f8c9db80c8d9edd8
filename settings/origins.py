"""Where the value of each setting comes from, and how a fault in it is told."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from settings import ADDRESSES, Settings, config_file, secret_files
from settings.config_file import ConfigFile
from settings.unknown_variables import PREFIX

Kind = Literal["environment", "file", "up", "default"]


@dataclass(frozen=True)
class Origin:
    """Where a value comes from; `place` is the variable, the file or "", `line` the line in the settings file."""

    kind: Kind
    place: str = ""
    line: int | None = None

    def __str__(self) -> str:
        return {
            "environment": self.place,
            "file": f"{self.place} line {self.line}" if self.line else self.place,
            "up": f"up ({ADDRESSES})",
            "default": "default",
        }[self.kind]


def variable(name: str) -> str | None:
    """Return the environment variable that sets a setting or names its secret's file, None if none does; an empty one
    sets nothing.
    """
    wanted = f"{PREFIX}{name.upper()}"
    itself = next((one for one, value in os.environ.items() if one.upper() == wanted and value), None)
    secret = name in secret_files.secrets(Settings.model_fields)
    return itself or (secret_files.variable(name, os.environ) if secret else None)


def settings_file(settings: Settings | None = None) -> ConfigFile:
    """Return the settings file of settings, by default of the environment's. Raises ConfigFileError."""
    if settings is not None:
        return config_file.read(Settings, settings.config, settings.home)
    named, home = variable("config"), variable("home")
    default = Settings.model_fields["home"].default
    return config_file.read(Settings, os.environ[named] if named else None, os.environ[home] if home else default)


def is_chosen(name: str, settings: Settings | None = None) -> bool:
    """Return whether the user sets a setting, by the environment or the file: neither `up` nor the default does."""
    return variable(name) is not None or name in settings_file(settings).settings


def origins(settings: Settings) -> dict[str, Origin]:
    """Return the origin of each setting."""
    file, chosen = settings_file(settings), written(settings.home)
    results = {}
    for name in Settings.model_fields:
        if (found := variable(name)) is not None:
            results[name] = Origin("environment", found)
        elif name in file.settings:
            results[name] = Origin("file", str(file.path), file.line(name))
        elif name in settings.model_fields_set and name in chosen:
            results[name] = Origin("up", str(settings.home / ADDRESSES))
        else:
            results[name] = Origin("default")
    return results


def label(name: str) -> str:
    """Return how a fault in a setting names it: by its variable, or by the line and key in the file."""
    file = settings_file()
    if variable(name) is None and name in file.settings:
        return f"{file.place(name)}: {name}"
    return f"{PREFIX}{name.upper()}"


def lines(error: ValidationError) -> list[str]:
    """Return one line for each fault of the settings."""
    results = []
    for one in error.errors(include_url=False, include_input=False):
        name, *inner = map(str, one["loc"] or ("",))
        results.append(": ".join(filter(None, [label(name) if name else "", *inner, one["msg"]])))
    return results


def written(home: Path) -> dict[str, object]:
    """Return what `up` wrote last in a home, {} if there is nothing or it cannot be read."""
    try:
        result = json.loads((home / ADDRESSES).read_text())
    except (OSError, ValueError):
        return {}
    return result if isinstance(result, dict) else {}

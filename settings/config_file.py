"""The settings file: where it is looked for, what it sets, and in which lines.

FORETICK_CONFIG names it; else it is foretick.toml in the home, if there is one. The current folder is not looked at:
who fills a folder would decide where the data of those who work in it goes.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, TomlConfigSettingsSource

from settings.unknown_variables import LISTED, PREFIX
from topics.suggestions import unknown

NAME = "foretick.toml"
VARIABLE = "FORETICK_CONFIG"
OF_PROCESSES = {
    "config": "names the file itself: set FORETICK_CONFIG",
    "metrics_ports": "is written by `up`, which chooses the ports",
    "kafka_open_port": "is written by `up`, which chooses the ports",
    "restarted_at": "is set by the supervisor for one process",
}
"""Settings that are no user's, and what is to be said of them."""


class ConfigFileError(ValueError):
    """The file cannot be read or is no TOML: one line with the file, and the line in it."""


@dataclass(frozen=True)
class ConfigFile:
    """The settings file: its path (None: there is none), its keys with their values, and what settings there are."""

    path: Path | None = None
    named: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, FieldInfo] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """What the file sets: no key that decides which file is read, or belongs to one process."""
        usable = self.fields.keys() - OF_PROCESSES - (set() if self.named else {"home"})
        return {key: value for key, value in self.values.items() if key in usable}

    def line(self, key: str) -> int | None:
        """Return the line in which a key or its table begins, from 1; None if it is not found."""
        lines = self.path.read_text(encoding="utf-8").split("\n") if self.path is not None else []
        begins = re.compile(rf"\s*\[?\s*[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
        for number, line in enumerate(lines, 1):
            if not begins.match(line):
                continue
            before = _parsed("\n".join(lines[: number - 1]))
            if before is not None and key not in before:  # None: the line is within a text of several lines
                return number
        return None

    def place(self, key: str) -> str:
        """Return the place of a key in words: the file, and the line in it."""
        number = self.line(key)
        return f"{self.path} line {number}" if number else str(self.path)

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield each key that cannot be set, and a line that says why; the values of the others are not checked."""
        for key, value in self.values.items():
            if text := self._fault(key, value):
                yield key, f"{self.place(key)}: {text}"

    def _fault(self, key: str, value: object) -> str:
        fields = self.fields
        if key not in fields:
            name = key.lower().removeprefix(PREFIX.lower())
            near = f"there is no setting {key!r}: the nearest is {name!r}"
            return near if name in fields else unknown("setting", key, sorted(fields.keys() - OF_PROCESSES), LISTED)
        if key in OF_PROCESSES:
            return f"{key} {OF_PROCESSES[key]}"
        if key == "home" and not self.named:
            return f"home cannot be set in the home's own file: set FORETICK_HOME, or name this file by {VARIABLE}"
        if isinstance(value, Mapping) and "dict" not in str(fields[key].annotation):
            flat = [f"{key}_{inner}" for inner in value if f"{key}_{inner}" in fields]
            return f"{key} is no table{f': write {flat[0]} = …' if flat else ''}"
        if is_path(fields[key]) and isinstance(value, str) and not Path(value).is_absolute():
            return f"{key} is a path: in the file it begins with / or ~, as each process has another current folder"
        return ""

    def readable_by_others(self) -> bool:
        """Return whether other users may read the file, as far as its mode and that of its folder say."""
        if self.path is None:
            return False
        return bool(self.path.stat().st_mode & 0o044 and self.path.absolute().parent.stat().st_mode & 0o011)


def is_path(setting: FieldInfo) -> bool:
    """Return whether a setting is a path."""
    return Path in (setting.annotation, *get_args(setting.annotation))


def make_absolute(environment: MutableMapping[str, str]) -> None:
    """Make FORETICK_CONFIG name the same file for processes that are started in another folder."""
    if environment.get(VARIABLE):
        environment[VARIABLE] = str(Path(environment[VARIABLE]).expanduser().absolute())


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def read(settings: type[BaseSettings], config: object, home: object) -> ConfigFile:
    """Return the file named by `config`, else the one in the home, else an empty one. Raises ConfigFileError.

    OSError if the one in the home cannot be read.
    """
    named = bool(config)
    path = Path(str(config)).expanduser() if named else Path(str(home)) / NAME
    try:
        if not path.is_file() and (named or path.exists()):
            raise ConfigFileError(f"{VARIABLE if named else 'the home'}: {path} is no file")
        if not path.exists():
            return ConfigFile()
        values = TomlConfigSettingsSource(settings, toml_file=path).toml_data
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigFileError(f"{path}: {error}") from None
    except OSError as error:
        if not named:
            raise
        raise ConfigFileError(f"{VARIABLE}: {path}: {error.strerror}") from None
    for key, value in values.items():
        if key in settings.model_fields and is_path(settings.model_fields[key]) and isinstance(value, str):
            values[key] = os.path.expanduser(value)  # noqa: PTH111 - of a text, which may be no path yet
    return ConfigFile(path, named, values, settings.model_fields)

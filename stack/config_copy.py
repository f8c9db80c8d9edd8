"""The copy of the settings file that the components of a stack read: what `up` found, whatever is written to it later.

A component that is restarted hours later must agree with the others about intervals and features, and must start even
if the file is just being edited.
"""

from pathlib import Path

from settings import Settings
from settings.origins import settings_file
from stack.disk_space import full_folder
from stack.errors import MachineError
from stack.secret import write_private

COPY = "up.toml"


def keep(settings: Settings) -> None:
    """Copy the settings file into the home, an empty one if there is none. Raises MachineError if there is no space."""
    home = settings.home.resolve()
    try:
        write_private(home / COPY, _text(settings))
    except OSError as error:
        raise MachineError(
            f"{home / COPY} cannot be written: {error.strerror}. {full_folder(home, error)}".rstrip(". ")
        ) from error


def is_outdated(settings: Settings) -> bool:
    """Return whether the file holds something else than when the components of this home were last started."""
    copy = settings.home / COPY
    return copy.exists() and copy.read_text(encoding="utf-8") != _text(settings)


def environment(home: Path) -> dict[str, str]:
    """Return what makes a component read the copy, and no other file."""
    return {"FORETICK_HOME": str(home), "FORETICK_CONFIG": str(home / COPY)}


def _text(settings: Settings) -> str:
    path = settings_file(settings).path
    return path.read_text(encoding="utf-8") if path is not None else ""

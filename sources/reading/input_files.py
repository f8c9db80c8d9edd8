"""The files that a user names: whether they are there."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from sources.errors import SourceError


def check_files(paths: Sequence[Path]) -> None:
    """Raise SourceError if a path is no file: with the nearest name of its folder, or of a folder how to name what
    is in it.
    """
    for path in paths:
        if path.is_dir():
            raise SourceError(f"{path} is a folder: name the files in it, such as {path}/*{_ending(path)}")
        if not path.is_file():
            near = difflib.get_close_matches(path.name, _names(path.parent), 1)
            raise SourceError(f"{path}: no such file{f'; the nearest is {path.parent / near[0]}' if near else ''}")


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []


def _ending(folder: Path) -> str:
    """Return the ending that most files of a folder have, such as .csv.gz."""
    endings = ["".join(Path(name).suffixes[-2:]) for name in sorted(_names(folder)) if not name.startswith(".")]
    return max(endings, key=endings.count, default="")

"""Checks arguments about files, models and bars before a command's slow imports."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from cli.errors import UserError
from models.registry.names import LacksPackageError, check
from sources.errors import SourceError
from sources.reading.input_files import check_files
from stack.packages import sizes
from topics.units import interval_ms


def check_writable(folder: Path) -> None:
    """Raise OSError if a folder, or the parent in which it would be created, is not writable; creates nothing."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK):
        raise OSError(errno.EACCES, "cannot be written", str(there))


def check_typed(
    files: Sequence[Path] = (), models: Sequence[str] = (), interval: str | None = None, option: str = "--model"
) -> None:
    """Raise UserError if a file does not exist, a model is unknown, or an interval is not a length of time."""
    try:
        check_files(files)
    except SourceError as error:
        raise UserError(str(error)) from None
    try:
        check(models)
    except ValueError as error:
        what = f"{error} ({sizes()['networks']} in all)" if isinstance(error, LacksPackageError) else str(error)
        raise UserError(f"{option}: {what}" if option else what) from None
    try:
        if interval is not None:
            interval_ms(interval)
    except ValueError as error:
        raise UserError(f"--interval: {error}") from None

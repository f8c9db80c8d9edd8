"""Identifies the running code: its commit, or without git its version and the hash of its files."""

import hashlib
import subprocess
from functools import cache
from pathlib import Path

from settings import ROOT
from settings.places import PACKAGES
from settings.version import package_version

SOURCES = (".py", ".sql")
"""The suffixes of the program's files."""
DIGITS = 12
"""The number of characters of a hash that are shown."""


@cache
def commit() -> str:
    """Return the code's commit, marked if files differ from it.

    Outside a checkout, or without git: the version of the package and the hash of its files, as ``0.1.0+sha256.0a1b``.
    """
    return _described(ROOT) or f"{package_version() or '0'}+sha256.{sha256(ROOT)[:DIGITS]}"


def _described(root: Path) -> str:
    """Return the commit of a checkout whose top is `root`, empty if it is none."""
    if not (root / ".git").exists():  # else git would find an unrelated checkout around it
        return ""
    command = ["git", "-c", f"safe.directory={root}", "describe", "--always", "--dirty", f"--abbrev={DIGITS}"]
    try:
        # Git refuses another user's checkout by default, but this one is being run already.
        done = subprocess.run([*command, "--exclude=*"], cwd=root, capture_output=True, text=True, check=True)  # noqa: S603 - git, with our own arguments
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def sha256(root: Path) -> str:
    """Return the SHA-256 over names and contents of the program's files: those of the packages below `root`."""
    result = hashlib.sha256()
    for package in (root / name for name in sorted(PACKAGES)):
        for path in sorted(path for path in package.rglob("*") if path.suffix in SOURCES):
            content = path.read_bytes()
            result.update(f"{path.relative_to(root).as_posix()} {len(content)} ".encode() + content)
    return result.hexdigest()

"""Which code runs: its commit and its version."""

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from settings import ROOT


@cache
def commit() -> str:
    """Return the commit that the code is of, with a mark where files differ from it; nothing outside a checkout."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],  # noqa: S607 - git, by name
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


@cache
def package_version() -> str:
    """Return the version of the package, nothing where it is not installed."""
    try:
        return version("foretick")
    except PackageNotFoundError:
        return ""

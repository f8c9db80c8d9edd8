"""The version: pyproject.toml has it, and an installed package's metadata a copy."""

import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from settings.places import CHECKOUT, ROOT


@cache
def package_version() -> str:
    """Return the version of the code that runs, empty for a copy of it that is neither a checkout nor installed.

    A checkout is asked itself: it need not be installed, or it was when it had another version.
    """
    if not CHECKOUT:
        try:
            return version("foretick")
        except PackageNotFoundError:
            return ""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])

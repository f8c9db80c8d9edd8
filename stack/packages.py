"""The sets of Python packages that `./foretick` installs: purpose, size, which one is here, and what differs from it.

`python -m stack.packages` measures the sizes, in an environment that has all.
"""

import hashlib
import importlib.metadata
import re
import sys
from pathlib import Path

from settings import ROOT
from settings.places import DATA

FOLDER = DATA / "requirements"
SIZES = FOLDER / "sizes"
STAMP = Path(sys.prefix) / "foretick.packages"
"""Written by ./foretick: the set, the variant of torch if not the lock's, and the locks' SHA-256."""
SETS = {
    "default": "for `up` and the default models",
    "networks": "with torch and CatBoost, for the models that need them",
    "tests": "with the packages of the tests and linters",
}
EXTRAS = {
    "live": ("ccxt", "`foretick live`: the trades of venues as they happen"),
    "networks": ("torch", SETS["networks"]),
    "tests": ("pytest", SETS["tests"]),
}
"""Of an installed Foretick: a module by which each is known to be here, and its purpose."""


def installed() -> str | None:
    """Return the installed set; None if ./foretick did not make the environment."""
    words = STAMP.read_text().split() if STAMP.exists() else []
    return words[0] if words and words[0] in SETS else None


def digest() -> str:
    """Return the SHA-256 of the locks, computed as in ./foretick."""
    locked = (*sorted(FOLDER.glob("*.lock")), ROOT / "pyproject.toml")
    return hashlib.sha256(b"".join(path.read_bytes() for path in locked)).hexdigest()


def differing() -> dict[str, tuple[str, str]]:
    """Return the packages whose version is not that of the lock: by name the version here, and the lock's.

    What is not here at all, such as what only an extra needs, is left out.
    """
    from packaging.requirements import Requirement  # noqa: PLC0415 - only the doctor of an installed Foretick asks

    entries = re.findall(r"^[\w.-]+==[^\\\n]+", (FOLDER / "default.lock").read_text(), re.MULTILINE)
    locked = [one for one in map(Requirement, entries) if one.marker is None or one.marker.evaluate()]
    wanted = {one.name: str(one.specifier).removeprefix("==") for one in locked}
    return {name: (here, tested) for name, tested in wanted.items() if (here := _version(name)) not in ("", tested)}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def sizes() -> dict[str, str]:
    """Return the size of each set on disk, measured on Linux, x86-64."""
    return dict(line.split(" ", 1) for line in SIZES.read_text().splitlines())


def measured() -> dict[str, int]:
    """Return the bytes of each set's installed packages."""
    sized = {_plain(one.name): _bytes(one) for one in importlib.metadata.distributions()}
    locks = {name: (FOLDER / f"{name}.lock").read_text() for name in SETS}
    return {
        name: sum(sized.get(_plain(package), 0) for package in set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)))
        for name, lock in locks.items()
    }


def shown(size: int) -> str:
    """Return a size as text.

    >>> shown(1_234_567_890)
    '1.2 GB'
    """
    return f"{size / 1e9:.1f} GB"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _bytes(package: importlib.metadata.Distribution) -> int:
    paths = (Path(str(package.locate_file(file))) for file in package.files or () if "__pycache__" not in file.parts)
    return sum(path.stat().st_size for path in paths if path.exists())


if __name__ == "__main__":
    SIZES.write_text("".join(f"{name} {shown(size)}\n" for name, size in measured().items()))

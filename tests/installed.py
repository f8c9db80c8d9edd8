"""Our wheels, and environments in which they are installed with what their metadata require, and nothing else.

The packages are those of this environment, by links, so that nothing is downloaded.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from settings import ROOT

BUILD = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"
TROUBLE = ("settings", "models", "stream", "features", "stack", "cli", "random", "types", "topics/__init__")
"""Names of our modules, and of Python's."""


def uv() -> Path:
    """Return the uv with which ./foretick made this environment."""
    result = shutil.which("uv") or Path(sys.prefix).resolve().parent / ".foretick/uv/bin/uv"
    assert Path(result).exists()
    return Path(result)


def build(project: Path, folder: Path) -> Path:
    """Build a project's wheel by its PEP 517 backend."""
    command = [sys.executable, "-c", BUILD, str(folder)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.strip()


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and a folder of a user whose files have the names of our modules and of Python's."""

    prefix: Path
    folder: Path

    @property
    def site(self) -> Path:
        """Return where its packages are."""
        return self.prefix / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"

    def run(self, program: str, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a program of the environment in the user's folder, with a folder of data of its own."""
        outside = ("FORETICK_", "PYTHON", "UV_", "VIRTUAL_ENV")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
        own = {"XDG_DATA_HOME": str(self.prefix.parent / "data"), "COLUMNS": "200"}
        command = [str(self.prefix / "bin" / program), *words]
        return subprocess.run(
            command, cwd=self.folder, env=clean | own | more, capture_output=True, text=True, check=False
        )


def environment(folder: Path, wheel: Path) -> Environment:
    """Make an environment of a wheel and the packages that it requires, and of those that these require."""
    result = Environment(folder / "environment", folder / "a folder")
    venv.create(result.prefix, with_pip=False, symlinks=True)
    command = [uv(), "pip", "install", "--quiet", "--offline", "--no-deps", "--python", result.prefix, wheel]
    subprocess.run(command, check=True)
    (own,) = importlib.metadata.distributions(path=[str(result.site)])
    for package in required(own):
        for top in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
            place, origin = result.site / top, Path(str(package.locate_file(top)))
            if place.suffix == ".dist-info":
                shutil.copytree(origin, place)  # uv looks at no links to these
            elif not place.exists():
                place.symlink_to(origin)
    make_trouble(result.folder)
    return result


def make_trouble(folder: Path) -> None:
    """Put modules into a folder that fail where they are imported."""
    for name in TROUBLE:
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("raise RuntimeError('a file of the current folder was imported: ' + __file__)\n")


def required(first: importlib.metadata.Distribution) -> Iterator[importlib.metadata.Distribution]:
    """Return all packages that one requires here, by way of others too."""
    waiting, seen = [(first, "")], {(canonicalize_name(first.name), "")}
    while waiting:
        package, extra = waiting.pop()
        for one in map(Requirement, package.requires or ()):
            if one.marker is not None and not one.marker.evaluate({"extra": extra}):
                continue
            for wanted in ("", *one.extras):
                key = (canonicalize_name(one.name), wanted)
                if key not in seen:
                    seen.add(key)
                    found = importlib.metadata.distribution(one.name)
                    waiting.append((found, wanted))
                    if not wanted:
                        yield found


def take_compiled(site: Path) -> None:
    """Take the compiled indicators of the checkout, which belong to files of the same time and content."""
    for index in ROOT.glob("*/__pycache__/*.nb[ic]"):
        folder = index.parents[1].relative_to(ROOT)
        for source in (ROOT / folder).glob("*.py"):
            shutil.copystat(source, site / folder / source.name)
        (site / folder / "__pycache__").mkdir(exist_ok=True)
        shutil.copy2(index, site / folder / "__pycache__" / index.name)

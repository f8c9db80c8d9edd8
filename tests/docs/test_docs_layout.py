"""How the packages are laid out: small modules in folders, each of which says what is in it."""

import ast
import tomllib
from pathlib import Path
from statistics import median

import pytest

from settings import ROOT

PACKAGES: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["packages"]
FOLDERS = [path.parent for package in PACKAGES for path in sorted((ROOT / package).rglob("__init__.py"))]


def name(folder: Path) -> str:
    return folder.relative_to(ROOT).as_posix()


def test_modules_are_small():
    lines = {path: len(path.read_text().splitlines()) for one in FOLDERS for path in one.glob("*.py")}
    sizes = [count for path, count in lines.items() if path.name != "__init__.py"]
    assert len(sizes) > 300
    assert median(sizes) < 100
    assert {name(path): count for path, count in lines.items() if count > 500} == {}


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_a_folder_says_what_is_in_it(folder: Path):
    words = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
    assert words is not None
    assert words.partition("\n")[0].endswith(".")


def test_every_folder_with_modules_is_a_package():
    """One without an `__init__.py` could be imported too, and no linter would look into it."""
    holding = {path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert sorted(map(name, holding)) == sorted(map(name, FOLDERS))

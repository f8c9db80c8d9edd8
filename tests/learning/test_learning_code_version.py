"""Which code trained a version is known with git and without."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from learning.tracking.code_version import _described, commit, sha256
from settings import ROOT
from settings.version import package_version

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b")
TELL = "from learning.tracking.code_version import commit; print(commit())"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The program's files without git."""
    root = tmp_path / "app"
    for package in ("learning", "settings", "topics"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def told(root: Path, **environment: str) -> str:
    """Return what a process in another folder says."""
    done = subprocess.run(
        [sys.executable, "-c", TELL],
        cwd="/",
        env=os.environ | {"PYTHONPATH": str(root)} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_without_git_the_code_is_known_by_its_version_and_hash(copied: Path) -> None:
    known = f"{package_version() or '0'}+sha256.{sha256(copied)[:12]}"
    assert told(copied) == known
    (copied / ".git").mkdir()
    assert told(copied, PATH="/nowhere") == known  # a checkout, and no git installed
    (copied / "learning/tracking/code_version.py").write_text(
        (copied / "learning/tracking/code_version.py").read_text() + "\n"
    )
    assert f"{package_version() or '0'}+sha256.{sha256(copied)[:12]}" != known


def test_a_checkout_that_contains_the_program_does_not_give_its_version(copied: Path) -> None:
    subprocess.run([*GIT, "init", "-q"], cwd=copied.parent, check=True)
    subprocess.run([*GIT, "commit", "-q", "--allow-empty", "-m", "x"], cwd=copied.parent, check=True)
    assert _described(copied.parent)
    assert _described(copied) == ""
    assert "+sha256." in told(copied)


def test_another_users_checkout_tells_its_commit(copied: Path) -> None:
    subprocess.run([*GIT, "init", "-q"], cwd=copied, check=True)
    subprocess.run([*GIT, "add", "."], cwd=copied, check=True)
    subprocess.run([*GIT, "commit", "-q", "-m", "x"], cwd=copied, check=True)
    if os.geteuid() == 0:
        for path in (copied, copied / ".git"):
            os.chown(path, 12_345, 12_345)
    assert re.fullmatch("[0-9a-f]{12}", _described(copied))


def test_the_code_version_is_a_commit_or_a_hash() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}(-dirty)?|.*\+sha256\.[0-9a-f]{12}", commit())

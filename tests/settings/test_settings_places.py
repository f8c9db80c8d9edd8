"""Where the code is, what starts it, and how commands are named; tests/stack/test_stack_wheel.py has it installed."""

import subprocess
import sys
from pathlib import Path

import pytest
from installed import TROUBLE, make_trouble

from settings import ROOT, Settings, places


def test_a_checkout_has_its_own_home(monkeypatch: pytest.MonkeyPatch) -> None:
    assert places.is_checkout(ROOT)
    assert places.DATA == ROOT
    monkeypatch.delenv("FORETICK_HOME", raising=False)
    assert Settings().home == ROOT / ".foretick"
    monkeypatch.setenv("FORETICK_HOME", "/some/where")
    assert Settings().home == Path("/some/where")


def test_packages_beside_others_are_no_checkout(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()  # some packages leave theirs in site-packages
    assert not places.is_checkout(tmp_path)


def test_our_modules_are_started_in_any_folder(tmp_path: Path) -> None:
    make_trouble(tmp_path)
    command = places.module("sources.formats_page")
    done = subprocess.run(command, cwd=tmp_path, env=places.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (ROOT / "docs/FORMATS.md").read_text()
    unsafe = [sys.executable, "-m", "sources.formats_page"]
    done = subprocess.run(unsafe, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "a file of the current folder was imported" in done.stderr
    assert "settings" in TROUBLE


def test_messages_name_the_commands_as_they_are_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "torch is not installed (./foretick install networks); ./foretick up"
    assert places.typed(text) == text
    monkeypatch.setattr(places, "CHECKOUT", False)
    assert places.typed(text) == (
        "torch is not installed (install foretick[networks], as Foretick was installed); foretick up"
    )

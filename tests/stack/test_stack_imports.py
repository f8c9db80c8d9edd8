"""No command pays for what only another one imports."""

import re
import subprocess
import sys
import tomllib

import pytest

from settings import ROOT

HEAVY = {"aiokafka", "bokeh", "fastapi", "httpx", "lightgbm", "numba", "numpy", "pandas", "psycopg", "pyarrow", "redis"}
FITTING = {"arch", "catboost", "lightgbm", "matplotlib", "optuna", "pandas", "river", "sklearn", "torch", "xgboost"}


def packages() -> list[str]:
    results: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["packages"]
    return results


def loaded(line: str, asked: set[str] = HEAVY) -> set[str]:
    code = f"import sys; {line}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return asked & set(done.stdout.split())


def test_the_command_line_alone_loads_nothing_heavy():
    assert not loaded("import cli.main")


def test_reading_and_computing_load_no_pandas():
    assert loaded("import features.step, sources.reading.bars, sources.feature_file") == {"numba", "numpy", "pyarrow"}


@pytest.mark.parametrize("module", ["api.serve", "dashboard.serve", "alerts.worker", "learning.watch", "stream.worker"])
def test_what_only_shows_watches_or_stores_loads_nothing_that_models_are_fitted_with(module: str) -> None:
    assert not loaded(f"import {module}", FITTING)


def test_nothing_waits_in_a_way_that_swallows_a_cancellation():
    """In Python 3.11 asyncio.wait_for does where the two meet: a process then never ends. asyncio.timeout does not."""
    code = [path for package in packages() for path in (ROOT / package).rglob("*.py")]
    assert len(code) > 300
    assert not [path for path in code if "asyncio.wait_for(" in path.read_text()]


def test_no_pattern_takes_a_text_that_ends_with_a_line_break_for_one_that_does_not():
    """Python's `$` also matches before a last line break: `fullmatch` does not. `topics` has JSON Schema's patterns."""
    asked = re.compile(r"(?:re\.|\b)(?:match|search|compile|fullmatch)\(.*\$[\"']")
    code = [path for package in packages() if package != "topics" for path in (ROOT / package).rglob("*.py")]
    assert len(code) > 300
    assert [(path.name, line) for path in code for line in path.read_text().splitlines() if asked.search(line)] == []

"""No command pays for what only another one imports."""

import subprocess
import sys
import tomllib

from settings import ROOT

HEAVY = {"aiokafka", "bokeh", "fastapi", "httpx", "lightgbm", "numba", "numpy", "pandas", "psycopg", "pyarrow", "redis"}


def packages() -> list[str]:
    found: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["packages"]
    return found


def loaded(line: str) -> set[str]:
    code = f"import sys; {line}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return HEAVY & set(done.stdout.split())


def test_the_command_line_alone_loads_nothing_heavy():
    assert not loaded("import cli.main")


def test_reading_and_computing_load_no_pandas():
    assert loaded("import features.step, sources.bars, sources.feature_file") == {"numba", "numpy", "pyarrow"}


def test_nothing_waits_in_a_way_that_swallows_a_cancellation():
    """In Python 3.11 asyncio.wait_for does where the two meet: a process then never ends. asyncio.timeout does not."""
    code = [path for path in ROOT.glob("*/**/*.py") if path.parts[len(ROOT.parts)] in packages()]
    assert len(code) > 300
    assert not [path for path in code if "asyncio.wait_for(" in path.read_text()]

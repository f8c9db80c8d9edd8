"""No command pays for what only another one imports."""

import subprocess
import sys

from settings import ROOT

HEAVY = {"aiokafka", "bokeh", "fastapi", "httpx", "lightgbm", "numba", "numpy", "pandas", "psycopg", "pyarrow", "redis"}


def loaded(line: str) -> set[str]:
    code = f"import sys; {line}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return HEAVY & set(done.stdout.split())


def test_the_command_line_alone_loads_nothing_heavy():
    assert not loaded("import cli.main")


def test_reading_and_computing_load_no_pandas():
    assert loaded("import features.step, sources.bars, sources.feature_file") == {"numba", "numpy", "pyarrow"}

"""Runs the notebooks of the docs, and compares what their cells print with what they show."""

import json
import re
from pathlib import Path
from typing import Any

import pytest


def code(notebook: Any) -> list[Any]:
    """Return the cells of code."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def executed(path: Path, capsys: pytest.CaptureFixture[str], folder: Path) -> tuple[Any, list[Any], Path]:
    """Run a notebook's cells; return it with what they print now, what it showed, and a fresh copy in a folder."""
    notebook = json.loads(path.read_text())
    shown = [cell["outputs"] for cell in code(notebook)]
    space: dict[str, Any] = {}
    for number, cell in enumerate(code(notebook), 1):
        exec(compile("".join(cell["source"]), f"cell {number}", "exec"), space)  # noqa: S102 - our own notebook
        lines = capsys.readouterr().out.splitlines(keepends=True)
        cell["execution_count"] = number
        cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": lines}] if lines else []
    fresh = folder / path.name
    fresh.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
    return notebook, shown, fresh


def without_figures(outputs: Any) -> str:
    """Return outputs with a 0 in place of each number: another processor gives other last digits."""
    return re.sub(r"-?\d[\d.,]*", "0", json.dumps(outputs))

"""Runs the notebooks of the docs, and compares what their cells print with what they show."""

import ast
import asyncio
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from storing import aside


def code(notebook: Any) -> list[Any]:
    """Return the cells of code."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def executed(path: Path, capsys: pytest.CaptureFixture[str], folder: Path) -> tuple[Any, list[Any], Path]:
    """Run a notebook's cells, which may await; return it with what they print now, what it showed, and a fresh copy."""
    notebook = json.loads(path.read_text())
    shown = [cell["outputs"] for cell in code(notebook)]
    space: dict[str, Any] = {}
    capsys.readouterr()
    for number, cell in enumerate(code(notebook), 1):
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        program = compile("".join(cell["source"]), f"cell {number}", "exec", flags)
        waits = eval(program, space)  # noqa: S307 - our own notebook; a coroutine where the cell awaits
        if waits is not None:
            aside(partial(asyncio.run, waits))
        lines = capsys.readouterr().out.splitlines(keepends=True)
        cell["execution_count"] = number
        cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": lines}] if lines else []
    fresh = folder / path.name
    fresh.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
    return notebook, shown, fresh


def without_figures(outputs: Any) -> str:
    """Return outputs with a 0 in place of each number: another processor gives other last digits."""
    return re.sub(r"-?\d[\d.,]*", "0", json.dumps(outputs))

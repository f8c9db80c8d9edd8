"""A function says one thing that it does: none is long. How many arguments one takes is ruff's to hold (PLR0913)."""

import ast
import subprocess

from settings import ROOT

MOST_LINES = 60


def test_no_function_is_long() -> None:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = {
        f"{name}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for name in listed.stdout.split()
        if (ROOT / name).exists()
        for node in ast.walk(ast.parse((ROOT / name).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(lines) > 5_000
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}

"""tests/over_a_second.txt names tests that there are."""

import ast

import pytest

from settings import ROOT

NAMED = (ROOT / "tests/over_a_second.txt").read_text().splitlines()


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_is_said_to_be_slow_is_there(name: str) -> None:
    path, _, function = name.partition("::")
    tree = ast.parse((ROOT / "tests" / path).read_text())
    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}

"""A record or dataclass with more than four fields is made by keyword, so that no value lands in another's place.

Three records are not: they are made a column at a time, by `map` in C. By keyword, a Bar takes 830 ns instead of 250,
an Outcome 430 instead of 65, and each a Python call besides (`python -m bench.reading`, `bench.replay`). Nor are the
rows of a table that is read along.
"""

import ast
import subprocess
from collections.abc import Iterator

import pytest

from settings import ROOT

MOST_BY_PLACE = 4
BY_PLACE = {
    "features/table.py Feature": "the table of features: a row each, whose first six columns all have",
    "topics/records.py Tick": "sources/replay/frames.py: each trade of a file",
    "topics/records.py Bar": "sources/replay/frames.py: each bar of a file",
    "topics/records.py Outcome": "models/scoring/outcomes.py: each forecast that came true",
}


def is_classvar(node: ast.AnnAssign) -> bool:
    return "ClassVar" in ast.unparse(node.annotation)


def by_place(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield each dataclass and Struct of a module that can be made by place, and how many fields it has."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        made = [ast.unparse(one) for one in node.decorator_list if ast.unparse(one).startswith("dataclass")]
        struct = any(ast.unparse(base).rpartition(".")[2] == "Struct" for base in node.bases)
        if not made and not struct:
            continue
        keywords = " ".join([*made, *(ast.unparse(one) for one in node.keywords)])
        fields = [one for one in node.body if isinstance(one, ast.AnnAssign) and not is_classvar(one)]
        if "kw_only=True" not in keywords:
            yield node.name, len([one for one in fields if "init=False" not in ast.unparse(one)])


def test_classes_with_more_than_four_fields_are_keyword_only() -> None:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = {
        f"{name} {kind}": count
        for name in listed.stdout.split()
        if (ROOT / name).exists()
        for kind, count in by_place(ast.parse((ROOT / name).read_text()))
    }
    assert len(found) > 100
    assert {name for name, count in found.items() if count > MOST_BY_PLACE} == BY_PLACE.keys()


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("@dataclass\nclass A:", [("A", 5)]),
        ("@dataclass(frozen=True)\nclass A:", [("A", 5)]),
        ("@dataclass(frozen=True, kw_only=True)\nclass A:", []),
        ("class A(Struct, frozen=True):", [("A", 5)]),
        ("class A(msgspec.Struct, kw_only=True):", []),
        ("class A(NamedTuple):", []),
    ],
)
def test_a_class_that_takes_fields_by_position_is_found(head: str, expected: list[tuple[str, int]]) -> None:
    body = "".join(f"\n    {name}: int = 0" for name in "abcde") + "\n    other: ClassVar[int] = 0"
    assert list(by_place(ast.parse(head + body))) == expected

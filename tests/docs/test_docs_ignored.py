"""A line that a linter or mypy is told to pass over says why, and mypy is told so only where it looks."""

import re
import subprocess
import tokenize
import tomllib
from collections.abc import Iterator
from itertools import pairwise

import pytest

from settings import ROOT

TOLD = re.compile(r"# *(?:noqa|type: *ignore|ruff: *noqa)")
REASONED = re.compile(r"# (?:noqa: [A-Z]+\d+(?:, [A-Z]+\d+)* - |type: ignore\[[a-z-]+(?:, ?[a-z-]+)*\] # )\w")
CONFIGURED = re.compile(r'^  "[A-Z]+\d*",(?P<reason> +# \w)?', re.MULTILINE)


def comments(name: str) -> Iterator[tuple[int, str]]:
    """Yield the number of each line of a file that has a comment, with the comment."""
    with (ROOT / name).open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def tracked() -> list[str]:
    """Return the checkout's modules."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split() if (ROOT / name).exists()]


def test_each_ignored_line_says_why() -> None:
    told = [(name, at, text) for name in tracked() for at, text in comments(name) if TOLD.match(text)]
    assert len(told) > 100, "the comments are found"
    assert [f"{name}:{at}: {text}" for name, at, text in told if not REASONED.match(text)] == []


def test_mypy_is_told_to_ignore_only_what_it_reads() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["packages"]
    unread = [name for name in tracked() if name.split("/")[0] not in packages]
    assert [f"{name}:{at}" for name in unread for at, text in comments(name) if "type: ignore" in text] == []


def test_each_ignored_rule_of_ruff_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    heads = [at.start() for at in re.finditer(r"^(?:ignore = \[|\[tool\.ruff\.lint\.)", text, re.MULTILINE)]
    parts = [text[start:end] for start, end in pairwise([*heads, len(text)])]
    lists = "".join(part for part in parts if part.startswith(("ignore", "[tool.ruff.lint.per")))
    rules = list(CONFIGURED.finditer(lists))
    assert len(rules) > 10, "the rules are found"
    assert [found[0] for found in rules if not found["reason"]] == []


@pytest.mark.parametrize(
    ("comment", "reasoned"),
    [
        ("# noqa: S603", False),
        ("# noqa: S603 - ", False),
        ("# noqa: S603 - our own command", True),
        ("# noqa: ARG001, ASYNC109 - as the consumer's own", True),
        ("# noqa", False),
        ("# type: ignore[misc]", False),
        ("# type: ignore[misc, unused-ignore] # aiokafka has no types", True),
        ("# type: ignore # aiokafka has no types", False),
    ],
)
def test_what_counts_as_a_reason(comment: str, reasoned: bool) -> None:
    assert TOLD.match(comment)
    assert bool(REASONED.match(comment)) is reasoned

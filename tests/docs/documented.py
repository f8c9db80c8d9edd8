"""What README and docs show as code: fenced blocks, and the command lines in them and between backticks."""

import re
from functools import cache
from typing import Any, NamedTuple

import typer

from cli.main import app
from settings import ROOT

PAGES = (
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "sample/README.md"),
    *(
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "docs").rglob("*.md"))
        if path.parent.name != "reference"  # which is made from the code: test_docs_reference.py
    ),
)
OF_TABLES = ("docs/FEATURES.md", "docs/FORMATS.md")
"""Pages that are made of tables of formulas and of files' columns."""
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_PROGRAM = re.compile(r"[a-z./][\w./-]*")


class Block(NamedTuple):
    """A fenced block: its page, its language or "", its number among the page's of that language, its lines."""

    page: str
    language: str
    number: int
    text: str


@cache
def blocks() -> tuple[Block, ...]:
    """Return every fenced block."""
    results: list[Block] = []
    for page in PAGES:
        for language, text in _FENCED.findall((ROOT / page).read_text(encoding="utf-8")):
            number = sum((one.page, one.language) == (page, language) for one in results) + 1
            results.append(Block(page, language, number, text))
    return tuple(results)


def documented_lines() -> list[str]:
    """Return the command lines of all pages."""
    results: set[str] = set()
    for page in PAGES:
        lines = command_lines((ROOT / page).read_text(encoding="utf-8"))
        programs = ("python", "foretick", "./foretick") if page in OF_TABLES else None
        results |= {line for line in lines if programs is None or line.split()[0] in programs}
    return sorted(results)


def command_lines(text: str) -> set[str]:
    """Return the command lines of a page, those of the foretick command too, one for each part of `a && b`.

    >>> sorted(command_lines("`ruff check && ruff format`, `A=1 ./foretick up`, `.ci/run`, `update(time, value)`"))
    ['.ci/run', 'A=1 ./foretick up', 'ruff check', 'ruff format']
    """
    shell = (block for language, block in _FENCED.findall(text) if language == "sh")
    code = [line.partition(" #")[0] for block in shell for line in block.splitlines()]
    code += re.findall(r"`([^`]+)`", _FENCED.sub("", text))
    lines = (" ".join(part.split()) for line in code for part in line.split("&&"))
    return {line for line in lines if _is_command(line)}


def _is_command(line: str) -> bool:
    """Return whether a program is started: by its path, or by its name with an argument.

    A name alone is taken for the program itself, and `replay --no-retrain` for a part of what the page spoke of before.
    """
    words = line.split()
    while words and re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    if not words or not _PROGRAM.fullmatch(words[0]):
        return False
    by_path = words[0].startswith(("./", ".venv/bin/", ".ci/"))
    return by_path or (len(words) > 1 and words[0] not in _names_of_foretick())


@cache
def _names_of_foretick() -> frozenset[str]:
    """Return the names of its commands and of their subcommands and sets of packages."""
    command: Any = typer.main.get_command(app)
    inner = (name for one in command.commands.values() for name in getattr(one, "commands", ()))
    return frozenset({*command.commands, *inner, "networks"})

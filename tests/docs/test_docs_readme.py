"""What README, CONTRIBUTING and docs tell to type can be typed: commands, options, settings and files are there."""

import re
import shlex
from typing import Any

import pytest
import typer
from documented import PAGES

from cli.main import app
from settings import ROOT, Settings
from settings.secret_files import names
from settings.unknown_variables import ELSEWHERE, FAMILIES

TEXT = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
TYPED = re.compile(r"(?:\./)?foretick ((?:live|alerts|api|topics|models|pipeline|[a-z]+)[^`\n#]*)")


def typed() -> list[str]:
    """Return every command line that stands in code, without what an ellipsis or a comment leaves open."""
    results: set[str] = set()
    for text in TEXT.values():
        blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
        inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
        for code in (*"\n".join(blocks).splitlines(), *inline):
            results |= {match.strip() for match in TYPED.findall(code)}
    return sorted(results)


def problem(line: str) -> str | None:
    """Return what of a command line there is not, None if all of it is."""
    command: Any = typer.main.get_command(app)
    words = shlex.split(line)
    while words and hasattr(command, "commands"):
        name = words.pop(0).partition("|")[0]
        if name not in command.commands and command.name != "live":
            return f"no command {name}"
        command = command.commands.get(name) or command.commands["watch"]  # `live VENUE` is `live watch VENUE`
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    unknown = [word for word in words if re.match(r"--?[a-z]", word) and word not in known]
    # What follows `foretick test` is pytest's.
    return f"no option {', '.join(unknown)}" if unknown and command.name != "test" else None


@pytest.mark.parametrize("line", typed())
def test_each_command_of_the_docs_exists(line: str):
    assert problem(line) is None


def test_a_missing_command_is_found():
    assert len(typed()) > 30
    assert problem("alerts adds up") == "no command adds"
    assert problem("alerts add up --of prediction") == "no option --of"
    assert problem("train F --model gbm") is None


@pytest.mark.parametrize("page", PAGES)
def test_settings_that_are_named_are_there(page: str):
    known = {f"FORETICK_{name.upper()}" for name in names(Settings.model_fields)}
    read_elsewhere = set(
        re.findall(
            r"FORETICK_[A-Z_]+",
            "".join(path.read_text() for path in (ROOT / "foretick", *ROOT.glob("foretick_client/*.py"))),
        )
    )
    for test in ROOT.glob("tests/*/test_*.py"):
        read_elsewhere |= set(re.findall(r'environ\.get\("(FORETICK_TEST_[A-Z_]+)"', test.read_text()))
    read_elsewhere |= {f"FORETICK_{name}" for name in (*ELSEWHERE, *FAMILIES)}
    named = set(re.findall(r"FORETICK_[A-Z_]+", TEXT[page])) - {"FORETICK_"}
    assert named <= known | read_elsewhere | {"FORETICK_HOME"}


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_are_there(page: str):
    linked = set(re.findall(r"\]\((?!http)([^)#]+)\)", TEXT[page]))
    named = set(
        re.findall(
            r"`((?:topics|features|models|evaluation|broker|observability|sources|storage|stream|learning|alerts|stack|dashboard|api|"
            r"cli|tests|bench|docs|docker|sample)/[\w./]+)`",
            TEXT[page],
        )
    )
    made = {"models/features.json"}  # by a training, in the stack's home
    missing = [one for one in sorted(named - made) if "NAME" not in one and not (ROOT / one).exists()]
    assert not missing
    assert not [one for one in linked if not ((ROOT / page).parent / one).exists()]

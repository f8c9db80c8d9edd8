"""What the repository's host, pre-commit and a devcontainer read: they call the project's own commands, which exist."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from documented import command_lines
from test_docs_commands import OURS, proof
from test_docs_readme import problem

from settings import ROOT
from stack.addresses import USUAL

CI = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
CONTAINER = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
TEMPLATES = (*sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.md")), ROOT / ".github/pull_request_template.md")
IMAGE = "python:3.11.11"
"""As in docker/Dockerfile: a Debian with a Python that ./foretick takes."""


def test_ci_calls_what_every_developer_calls() -> None:
    (job,) = CI["jobs"].values()
    assert {step["if"]: step["run"] for step in job["steps"] if "if" in step} == {
        "github.event_name != 'schedule'": ".ci/run",
        "github.event_name == 'schedule'": "./foretick test --long --coverage",
    }
    assert problem("test --long --coverage") is None
    assert job["container"].startswith(IMAGE)
    assert CI["permissions"] == {"contents": "read"}
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_hooks_are_the_checks_of_ci() -> None:
    checks = re.findall(r"^check (\.venv/bin/.+)$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert sorted(hook["entry"] for hook in HOOKS) == sorted(checks)
    assert {hook["language"] for hook in HOOKS} == {"system"}


def test_the_devcontainer_starts_foretick_and_forwards_the_page() -> None:
    command = CONTAINER["postStartCommand"]
    assert command.startswith("./foretick up ")
    assert problem(command.removeprefix("./foretick ")) is None
    assert problem("up --detached") == "no option --detached"
    assert CONTAINER["forwardPorts"] == [USUAL["dashboard"], USUAL["api"]]
    assert set(map(int, CONTAINER["portsAttributes"])) == set(CONTAINER["forwardPorts"])
    assert CONTAINER["image"].startswith(IMAGE)
    assert f"FROM {IMAGE}-" in (ROOT / "docker/Dockerfile").read_text()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_names_commands_and_files_that_are_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for line in command_lines(text):
        if OURS.match(line):
            assert problem(line.partition("foretick ")[2].replace("NAME", "worker")) is None
        else:
            assert proof(line) or line == "python -m cli.reference", line
    assert [name for name in re.findall(r"\b(?:docs/)?\w+\.md\b", text) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", TEMPLATES[:-1], ids=lambda path: path.name)
def test_a_template_of_an_issue_has_its_head(path: Path) -> None:
    _, head, _ = path.read_text(encoding="utf-8").split("---\n", 2)
    assert yaml.safe_load(head).keys() == {"name", "about", "labels"}

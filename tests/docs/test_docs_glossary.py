"""The glossary: each term once, in alphabetical order, and no name in it that the code does not have."""

import re

import pytest

from settings import ROOT

TEXT = (ROOT / "docs" / "GLOSSARY.md").read_text(encoding="utf-8")
TERMS = re.findall(r"^- \*\*(.+?)\*\*: ", TEXT, flags=re.MULTILINE)
NAMES = sorted(set(re.findall(r"`([A-Z]\w+)`", TEXT)))
"""Classes: they alone are written with a capital."""


def test_terms_are_in_alphabetical_order_and_each_there_once() -> None:
    assert len(TERMS) > 50
    folded = [term.casefold() for term in TERMS]
    assert folded == sorted(set(folded))


def test_every_line_is_a_term_or_goes_on_from_one() -> None:
    entries = TEXT.partition("\n- ")[2].splitlines()[1:]
    assert [line for line in entries if not re.match(r"- \*\*.+\*\*: |  \S", line)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_the_glossary_is_a_class_of_the_code(name: str) -> None:
    folders = ("topics", "features", "models", "stream", "learning", "alerts")
    defined = re.compile(rf"^class {name}\b", flags=re.MULTILINE)
    assert any(defined.search(path.read_text()) for folder in folders for path in (ROOT / folder).rglob("*.py"))


def test_readme_and_contributing_link_it() -> None:
    assert "(docs/GLOSSARY.md)" in (ROOT / "README.md").read_text()
    assert "(docs/GLOSSARY.md)" in (ROOT / "CONTRIBUTING.md").read_text()

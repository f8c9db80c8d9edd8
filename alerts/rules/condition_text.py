"""Parses and formats a rule's condition: ``mean above 10bp``, ``state becomes turbulent``."""

from typing import get_args

from alerts.rules.kinds import KINDS, field_of
from alerts.rules.quantities import parse, show
from alerts.rules.rule import Operator, Rule, When

OPERATORS: tuple[Operator, ...] = get_args(Operator)
_HOW = "write FIELD above|below NUMBER, FIELD is|becomes WORD, FIELD changes, or any"


def parse_when(on: str, text: str) -> When:
    """Return the condition of a text, for a rule on `on`. Raises ValueError in one line."""
    if on not in KINDS:
        raise ValueError(f"on {on!r}: a rule is about one of {', '.join(KINDS)}")
    words = text.split()
    if words == ["any"]:
        return When("any")
    operator = next((known for known in OPERATORS if words[1:2] == [known]), None)
    if operator is None or operator == "any":
        raise ValueError(f"when {text!r}: {_HOW}")
    field, rest = words[0], " ".join(words[2:])
    field_of(on, field)
    if (operator == "changes") != (not rest):
        raise ValueError(f"when {text!r}: {_HOW}")
    if operator == "changes":
        return When(operator, field)
    if operator in {"is", "becomes"}:
        return When(operator, field, word=rest)
    return When(operator, field, threshold=level(on, field, rest))


def level(on: str, field: str, text: str) -> float:
    """Return a level of a field, in the records' own scale. Raises ValueError in one line."""
    unit = KINDS[on].fields[field].unit
    if unit is None:
        raise ValueError(f"when: {field} is a word: {field} is, becomes or changes")
    return parse(text, unit)


def show_when(rule: Rule) -> str:
    """Return a rule's condition as it could be typed."""
    when = rule.when
    if when.field is None:
        return when.operator
    unit = KINDS[rule.on].fields[when.field].unit
    limit = "" if when.threshold is None or unit is None else show(when.threshold, unit)
    return " ".join(filter(None, (when.field, when.operator, limit or when.word)))

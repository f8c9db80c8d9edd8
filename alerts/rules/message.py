"""An alert's message: a template with names in braces, without further format syntax."""

from collections.abc import Mapping
from string import Formatter
from typing import Any

from alerts.rules.kinds import KINDS, Kind
from alerts.rules.observation import Observation
from alerts.rules.quantities import show
from alerts.rules.rule import Rule

LONGEST = 500
_ALWAYS = ("rule", "severity", "symbol", "field", "value", "operator", "threshold", "suppressed", "found")
_IF_THERE = ("model", "version", "interval", "component", "venue", "role")


def names(kind: Kind) -> tuple[str, ...]:
    """Return the names in templates of that kind."""
    known = kind.record.__struct_fields__
    fields = (name for name, field in kind.fields.items() if field.rolling is None)
    return tuple(dict.fromkeys((*_ALWAYS, "horizon", *kind.details, *(n for n in _IF_THERE if n in known), *fields)))


def parts(template: str) -> list[tuple[str, str | None]]:
    """Return a template as pairs of a text and the name after it. Raises ValueError for anything else in braces."""
    results: list[tuple[str, str | None]] = []
    for text, name, form, conversion in Formatter().parse(template):
        if form or conversion or (name is not None and not name.isidentifier()):
            raise ValueError(f"the message may hold names in braces, such as {{symbol}}, and not {{{name}}}")
        results.append((text, name))
    return results


def compose(rule: Rule, seen: Observation, value: Any, suppressed: int) -> str:
    """Return the message of an alert, in one line. `value` is the condition's; `suppressed` counts what was suppressed.

    In our own templates a clause is left out if the record lacks its values.
    """
    kind = KINDS[rule.on]
    known = _words(rule, seen, value, suppressed)
    if rule.message:
        text = _filled(rule.message, known, seen, "?")
    else:
        ours = kind.template if seen.forecast is None else kind.of_forecast
        text = "; ".join(filter(None, (_filled(clause, known, seen, "") for clause in ours.split("; "))))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _filled(template: str, known: Mapping[str, str], seen: Observation, instead: str) -> str:
    """Return a template with its names filled in; `instead` replaces missing values, and if it is empty, None is
    returned.
    """
    pieces = []
    for text, name in parts(template):
        words = "" if name is None else _field(name, known, seen)
        words = instead if words is None else words
        if name is not None and not words and not instead:
            return ""
        pieces.append(text + words)
    return " ".join("".join(pieces).split())


def _words(rule: Rule, seen: Observation, value: Any, suppressed: int) -> Mapping[str, str]:
    when = rule.when
    unit = seen.kind.fields[when.field].unit if when.field else None
    limit = when.word or ""
    if when.threshold is not None and unit is not None:
        limit = show(when.threshold, unit)
    shown = show(value, unit) if unit is not None and value is not None else str(value or "")
    known = {
        "rule": rule.name,
        "severity": rule.severity,
        "symbol": seen.subject,
        "field": when.field or "",
        "value": shown,
        "operator": when.operator,
        "threshold": limit,
        "suppressed": str(suppressed),
        "found": _value_text(rule, shown, limit),
        "horizon": str(seen.horizon or "-"),
    }
    return known | {name: str(getattr(seen.record, name)) for name in _IF_THERE if hasattr(seen.record, name)}


def _value_text(rule: Rule, value: str, limit: str) -> str:
    """Return what matched: ``mean 12.3 bp (above 10 bp)``, ``state becomes turbulent``; empty if any record matches."""
    when = rule.when
    if when.field is None:
        return ""
    if when.operator in {"above", "below"}:
        return f"{when.field} {value} ({when.operator} {limit})"
    return f"{when.field} {when.operator} {'to ' + value if when.operator == 'changes' else limit}"


def _field(name: str, known: Mapping[str, str], seen: Observation) -> str | None:
    """Return a name's text; empty if the record does not have it."""
    if name in seen.kind.details:
        return seen.kind.details[name](seen.record, seen.forecast)
    if name in known:
        return known[name]
    value, unit = seen.value(name), seen.kind.fields[name].unit
    return None if value is None else show(value, unit) if unit else str(value)

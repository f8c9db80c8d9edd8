"""An alert's words: a template with names in braces, and nothing else that a template could do."""

from collections.abc import Mapping
from string import Formatter
from typing import Any

from alerts.kinds import KINDS, Kind
from alerts.observation import Observation
from alerts.quantities import show
from alerts.rule import Rule

LONGEST = 500
_ALWAYS = ("rule", "severity", "symbol", "field", "value", "operator", "threshold", "held")
_IF_THERE = ("model", "version", "interval", "component", "venue", "role")


def names(kind: Kind) -> tuple[str, ...]:
    """Return what a template of that kind may name."""
    known = kind.record.__struct_fields__
    fields = (name for name, field in kind.fields.items() if field.rolling is None)
    return tuple(dict.fromkeys((*_ALWAYS, "horizon", "time", *(n for n in _IF_THERE if n in known), *fields)))


def parts(template: str) -> list[tuple[str, str | None]]:
    """Return a template as pairs of a text and the name after it. Raises ValueError for whatever else braces hold."""
    found: list[tuple[str, str | None]] = []
    for text, name, form, conversion in Formatter().parse(template):
        if form or conversion or (name is not None and not name.isidentifier()):
            raise ValueError(f"the message may hold names in braces, such as {{symbol}}, and not {{{name}}}")
        found.append((text, name))
    return found


def compose(rule: Rule, seen: Observation, value: Any, held: int) -> str:
    """Return the message of an alert, in one line. `value` is the condition's; `held` counts what was held back."""
    template = rule.message or KINDS[rule.on].template
    known = _words(rule, seen, value, held)
    text = "".join(text + ("" if name is None else _field(name, known, seen)) for text, name in parts(template))
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _words(rule: Rule, seen: Observation, value: Any, held: int) -> Mapping[str, str]:
    when = rule.when
    unit = seen.kind.fields[when.field].unit if when.field else None
    limit = when.word or ""
    if when.threshold is not None and unit is not None:
        limit = show(when.threshold, unit)
    known = {
        "rule": rule.name,
        "severity": rule.severity,
        "symbol": seen.subject,
        "field": when.field or "",
        "value": show(value, unit) if unit is not None and value is not None else str(value or ""),
        "operator": when.operator,
        "threshold": limit,
        "held": str(held),
        "horizon": str(seen.horizon or "-"),
        "time": str(seen.time),
    }
    return known | {name: str(getattr(seen.record, name)) for name in _IF_THERE if hasattr(seen.record, name)}


def _field(name: str, known: Mapping[str, str], seen: Observation) -> str:
    if name in known:
        return known[name]
    value, unit = seen.value(name), seen.kind.fields[name].unit
    return "?" if value is None else show(value, unit) if unit else str(value)

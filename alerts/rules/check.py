"""Checks a rule before it is used: unknown names, and conditions that can never hold."""

from re import fullmatch, sub

import msgspec

from alerts.rules import message, quiet_hours
from alerts.rules.kinds import KINDS, Field, Kind, field_of
from alerts.rules.quantities import show
from alerts.rules.rule import Rule
from topics.limits import LONGEST_SYMBOL, SYMBOL
from topics.records import HORIZONS
from topics.units import measure

WINDOW = range(10, 1_001)


def check(rule: Rule) -> None:
    """Raise ValueError, in one line, for the first mistake in a rule."""
    if not fullmatch(r"[a-z0-9][a-z0-9_-]{0,59}", rule.name):
        raise ValueError(f"name {rule.name!r}: write a rule's name in small letters, digits, - and _, such as big-move")
    kind = KINDS.get(rule.on)
    if kind is None:
        raise ValueError(f"on {rule.on!r}: a rule is about one of {', '.join(KINDS)}")
    _condition(rule)
    _scope(rule, kind)
    _confidence(rule, kind)
    if rule.quiet is not None:
        quiet_hours.zone(rule.quiet.zone)
    if rule.cooldown_ms < 0:
        raise ValueError("cooldown: a time cannot be negative")
    unknown = [n for _, n in message.parts(rule.message) if n is not None and n not in message.names(kind)]
    if unknown:
        raise ValueError(f"message: no {{{unknown[0]}}} here; there are {', '.join(message.names(kind))}")
    if rule.window not in WINDOW:
        raise ValueError(f"window {rule.window}: between {WINDOW[0]} and {WINDOW[-1]} outcomes")


def _scope(rule: Rule, kind: Kind) -> None:
    for pattern in rule.symbols:
        if len(pattern) > LONGEST_SYMBOL or not fullmatch(SYMBOL, sub(r"[*?]", "X", pattern)):
            raise ValueError(f"symbol {pattern!r}: write BTCUSDT, or a pattern such as BTC* (in capitals)")
    has = kind.record.__struct_fields__
    for name in ("model", "interval"):
        if getattr(rule, name) is not None and name not in has:
            raise ValueError(f"{name}: a record of {rule.on} has none")
    if rule.interval is not None:
        measure(rule.interval)
    if rule.horizon is None:
        return
    field = kind.fields.get(rule.when.field or "")
    if rule.on == "prediction" and field is not None and not field.by_horizon:
        raise ValueError(f"horizon: {rule.when.field} of a prediction is the same at every horizon; leave it out")
    if "horizon" not in has and not (field is not None and field.by_horizon):
        raise ValueError(f"horizon: a record of {rule.on} has none")
    if rule.horizon not in HORIZONS:
        raise ValueError(f"horizon {rule.horizon} is not served; {', '.join(map(str, HORIZONS))} bars are")


def _condition(rule: Rule) -> None:
    when = rule.when
    if when.operator == "any":
        if when.field is not None:
            raise ValueError("when: `any` stands alone, without a field")
        return
    field = field_of(rule.on, when.field)
    if when.operator in {"above", "below"}:
        _threshold(rule, field)
        return
    if field.unit is not None:
        raise ValueError(f"when: {when.field} is a number: {when.field} above or below a threshold")
    if when.operator != "changes" and when.word is None:
        raise ValueError(f"when: {when.field} {when.operator} what?")
    if when.word is not None and field.words and when.word not in field.words:
        raise ValueError(f"when: {when.field} is never {when.word!r}; it is one of {', '.join(field.words)}")


def _threshold(rule: Rule, field: Field) -> None:
    when, limit = rule.when, rule.when.threshold
    if field.unit is None:
        raise ValueError(f"when: {when.field} is a word: {when.field} is, becomes or changes")
    if limit is None:
        raise ValueError(f"when: {when.field} {when.operator} what?")
    never = limit >= field.most if when.operator == "above" else limit <= field.least
    if never:
        bound = field.most if when.operator == "above" else field.least
        raise ValueError(
            f"when: {when.field} is never {when.operator} {show(limit, field.unit)}; "
            f"it lies {'at most' if when.operator == 'above' else 'at least'} at {show(bound, field.unit)}"
        )
    if rule.rearm is None:
        return
    if not field.least <= rule.rearm <= field.most:
        raise ValueError(f"rearm: {when.field} never comes to {show(rule.rearm, field.unit)}")
    if rule.rearm > limit if when.operator == "above" else rule.rearm < limit:
        side = "at or below" if when.operator == "above" else "at or above"
        raise ValueError(f"rearm {show(rule.rearm, field.unit)}: must lie {side} {show(limit, field.unit)}")


def _confidence(rule: Rule, kind: Kind) -> None:
    if rule.rearm is not None and rule.when.operator not in {"above", "below"}:
        raise ValueError("rearm: only a number comes back to a level")
    if rule.min_confidence is None and rule.min_signal is None:
        return
    field = kind.fields.get(rule.when.field or "")
    if field is None or not field.by_horizon:
        raise ValueError("minimum confidence: only a forecast has one (a prediction's mean, p_up, width, ...)")
    if rule.min_confidence is not None and not 0 < rule.min_confidence <= 0.5:
        raise ValueError("minimum confidence is |P(up) - 0.5|: above 0, at most 0.5")
    if rule.min_signal is not None and not rule.min_signal > 0:
        raise ValueError("minimum signal is |mean| / scale: above 0")


def decode(definition: bytes) -> Rule:
    """Return a rule from its JSON, checked. Raises ValueError in one line."""
    try:
        rule = msgspec.json.decode(definition, type=Rule)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    check(rule)
    return rule

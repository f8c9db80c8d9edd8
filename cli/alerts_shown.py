"""Tables for people: the rules and subscribers of alerts, and what a rule would have said."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from rich.table import Table

from alerts.history import Rehearsal
from alerts.overview import Overview, RuleShown
from alerts.quiet import show as show_quiet
from alerts.rule import Rule
from alerts.wording import show_when
from cli.text import Terminal
from cli.times import iso
from topics.records import Alert

UNKNOWN = "-"


def show(found: Overview) -> None:
    """Print the rules, then the subscribers, then what went wrong last."""
    console = Terminal()
    rules = Table("rule", "when", "of", "at most", "severity", "alerts", "last")
    for rule in found.rules:
        rules.add_row(*rule_cells(rule))
    console.print(rules)
    if not found.rules:
        console.print(silence(found.rules), highlight=False)
    subscribers = Table("subscriber", "to", "of", "waiting", "delivered", "failed", "muted")
    for one in found.subscribers:
        of = ", ".join((*one.rules, *one.symbols)) or "all"
        if one.severity != "info":
            of += f", {one.severity} or worse"
        numbers = (f"{number:,}" for number in (one.waiting, one.delivered, one.failed, one.muted))
        subscribers.add_row(one.name, one.target, of, *numbers)
    console.print(subscribers)
    for one in found.subscribers:
        if one.last_error and (one.waiting or one.failed):
            console.print(f"{one.name}: last error: {one.last_error}")
    for rule in found.rules:
        if rule.problem:
            console.print(f"{rule.name}: cannot be used: {rule.problem}")


def silence(rules: Sequence[RuleShown], symbol: str | None = None) -> str:
    """Return why there is no alert."""
    none = "no alert" if symbol is None else f"no alert about {symbol}"
    if not rules:
        return f"{none}: there is no rule; foretick alerts add NAME --on drift --when any"
    if any(rule.alerts for rule in rules):
        return f"{none} on the topic any more: foretick alerts list"
    since = min(rule.added_at for rule in rules)
    names = ", ".join(rule.name for rule in rules)
    return f"{none}: nothing has matched {names} since {moment(since)}; foretick alerts test NAME tries the past"


def rule_cells(shown: RuleShown) -> tuple[str, ...]:
    """Return a rule's row."""
    rule = shown.rule
    counted = f"{shown.alerts:,}", moment(shown.last)
    if rule is None:
        return shown.name, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, *counted
    severity = (
        rule.severity if shown.muted_until is None else f"{rule.severity}, muted until {moment(shown.muted_until)}"
    )
    return shown.name, f"{rule.on}: {condition(rule)}", scope(rule), pace(rule), severity, *counted


def condition(rule: Rule) -> str:
    """Return a rule's condition in words, with what it wants besides."""
    sure = "" if rule.min_confidence is None else f", P(up) {rule.min_confidence:g} from 0.5"
    strong = "" if rule.min_signal is None else f", mean {rule.min_signal:g} scales"
    return show_when(rule) + sure + strong


def scope(rule: Rule) -> str:
    """Return which records a rule looks at."""
    horizon = f"{rule.horizon} bars" if rule.horizon else None
    return ", ".join(filter(None, (*rule.symbols, rule.model, horizon, rule.interval))) or "all"


def pace(rule: Rule) -> str:
    """Return how often a rule may speak."""
    cooldown = f"every {rule.cooldown_ms / 60_000:g} min" if rule.cooldown_ms else None
    rearm = "once until rearmed" if rule.rearm is not None else None
    silent = f"not {show_quiet(rule.quiet)}" if rule.quiet else None
    return ", ".join(filter(None, (cooldown, rearm, silent))) or "every match"


def moment(time: datetime | None) -> str:
    """Return a time to read."""
    return UNKNOWN if time is None else f"{time:%Y-%m-%d %H:%M}"


def show_rehearsal(name: str, days: float, found: Rehearsal) -> None:
    """Print what a rule would have said."""
    console = Terminal()
    console.print(
        f"{name} would have spoken {found.alerts:,} times in the last {days:g} days that are stored "
        f"({found.records:,} records; {found.held:,} more matches held back)",
        soft_wrap=True,
    )
    for symbol, count in sorted(found.symbols.items(), key=lambda pair: -pair[1])[:10]:
        console.print(f"  {symbol}: {count:,}")
    for alert in found.last:
        console.print(f"  {iso(alert.time)}  {alert.message}", soft_wrap=True)


def line_of(record: Struct) -> str:
    """Return an alert as a line."""
    assert isinstance(record, Alert)  # noqa: S101 - for mypy: the topic has no other
    return f"{iso(record.time)}  {record.severity:<8}  {record.message}  [{record.alert_id}]"

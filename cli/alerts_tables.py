"""Tables of the rules, subscribers and mutes of alerts, and of a backtest."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from alerts.rules.condition_text import show_when
from alerts.rules.quiet_hours import show as show_quiet
from alerts.rules.rule import Rule
from alerts.store.history import RuleBacktest
from alerts.store.mutes import MuteShown
from alerts.store.overview import Overview, RuleShown, SubscriberShown
from cli.tables import Column, paragraph
from cli.tables import show as show_table
from cli.text import Terminal
from cli.times import iso
from topics.records import Alert

UNKNOWN = "-"
RULES = (
    *(Column("rule"), Column("when", words=True), Column("of", words=True), Column("at most", words=True)),
    *(Column("severity", 1), Column("alerts", right=True), Column("last", 3)),
    Column("version", 4, right=True),
)
SUBSCRIBERS = (
    *(Column("subscriber"), Column("to", words=True), Column("of", words=True), Column("waiting", right=True)),
    *(Column("delivered", 1, right=True), Column("failed", right=True), Column("muted", 2, right=True)),
    Column("last error", words=True),
)
MUTES = (Column("muted", words=True), Column("until"))


def show(overview: Overview, wide: bool = False) -> None:
    """Print the rules, the subscribers, the mutes, then the last errors and the worker's settings."""
    console = Terminal()
    silent = {mute.rule for mute in overview.mutes if mute.symbol is None and mute.alert_id is None}
    if overview.rules:
        show_table(RULES, [rule_cells(rule, rule.name in silent) for rule in overview.rules], wide)
    else:
        paragraph(console, silence(overview.rules))
    console.print()
    show_table(SUBSCRIBERS, map(subscriber_cells, overview.subscribers), wide)
    if overview.mutes:
        console.print()
        show_table(MUTES, [(muted(mute), until(mute)) for mute in overview.mutes], wide)
    for one in overview.subscribers:
        if one.refused:
            paragraph(console, refused(one))
    if overview.worker is None:
        paragraph(console, "no alerts worker runs: rules are not checked, and nothing is delivered; foretick status")
    for difference in overview.differences:
        paragraph(console, difference.line())
    for rule in overview.rules:
        if rule.problem:
            paragraph(console, f"{rule.name}: cannot be used: {rule.problem}")


def silence(rules: Sequence[RuleShown], symbol: str | None = None) -> str:
    """Return why there is no alert."""
    none = "no alert" if symbol is None else f"no alert about {symbol}"
    if not rules:
        return f"{none}: there is no rule; foretick alerts add NAME --on drift --when any"
    if any(rule.alerts for rule in rules):
        return f"{none} on the topic any more: foretick alerts list"
    since = min(rule.added_at for rule in rules)
    names = ", ".join(rule.name for rule in rules)
    return f"{none}: nothing has matched {names} since {moment(since)}; foretick alerts test NAME backtests a rule"


def muted(mute: MuteShown) -> str:
    """Return what a mute is about."""
    named = (("rule", mute.rule), ("symbol", mute.symbol), ("alert", mute.alert_id))
    return ", ".join(f"{what} {name}" for what, name in named if name is not None)


def until(mute: MuteShown) -> str:
    """Return when a mute ends: at a time, or when unmuted."""
    return "unmuted" if mute.until is None else f"{moment(mute.until)} UTC"


def refused(one: SubscriberShown) -> str:
    """Return since when a subscriber's alerts wait, and why."""
    return f"{one.name}: {one.waiting:,} alerts wait since {moment(one.waiting_since)} UTC: {one.last_error}"


def rule_cells(shown: RuleShown, is_muted: bool) -> tuple[str, ...]:
    """Return a rule's row."""
    rule = shown.rule
    counted = f"{shown.alerts:,}", moment(shown.last), str(shown.version)
    if rule is None:
        return shown.name, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, *counted
    severity = f"{rule.severity}, muted" if is_muted else rule.severity
    return shown.name, f"{rule.on}: {condition(rule)}", scope(rule), pace(rule), severity, *counted


def subscriber_cells(shown: SubscriberShown) -> tuple[str, ...]:
    """Return a subscriber's row."""
    least = () if shown.severity == "info" else (f"{shown.severity} or worse",)
    of = ", ".join((*shown.rules, *shown.symbols)) or "all"
    numbers = (f"{number:,}" for number in (shown.waiting, shown.delivered, shown.failed, shown.muted))
    error = shown.last_error or "" if shown.waiting or shown.failed else ""
    return shown.name, shown.target, ", ".join((of, *least)), *numbers, error


def condition(rule: Rule) -> str:
    """Return a rule's condition in words, with its further requirements."""
    sure = "" if rule.min_confidence is None else f", P(up) {rule.min_confidence:g} from 0.5"
    strong = "" if rule.min_signal is None else f", mean {rule.min_signal:g} scales"
    return show_when(rule) + sure + strong


def scope(rule: Rule) -> str:
    """Return which records a rule applies to."""
    horizon = f"{rule.horizon} bars" if rule.horizon else None
    return ", ".join(filter(None, (*rule.symbols, rule.model, horizon, rule.interval))) or "all"


def pace(rule: Rule) -> str:
    """Return how often a rule may alert."""
    cooldown = f"every {rule.cooldown_ms / 60_000:g} min" if rule.cooldown_ms else None
    rearm = "once until rearmed" if rule.rearm is not None else None
    silent = f"not {show_quiet(rule.quiet)}" if rule.quiet else None
    return ", ".join(filter(None, (cooldown, rearm, silent))) or "every match"


def moment(time: datetime | None) -> str:
    """Return a time as text."""
    return UNKNOWN if time is None else f"{time:%Y-%m-%d %H:%M}"


def show_backtest(name: str, days: float, rule_backtest: RuleBacktest) -> None:
    """Print the result of a backtest."""
    console = Terminal()
    paragraph(
        console,
        f"{name} would have made {rule_backtest.alerts:,} alerts in the last {days:g} days that are stored "
        f"({rule_backtest.records:,} records; {rule_backtest.suppressed:,} more matches suppressed)",
        *(
            f"{symbol}: {count:,}"
            for symbol, count in sorted(rule_backtest.symbols.items(), key=lambda pair: -pair[1])[:10]
        ),
        *(f"{iso(alert.time)}  {alert.message}" for alert in rule_backtest.last),
    )


def line_of(record: Struct) -> str:
    """Return an alert as a line."""
    assert isinstance(record, Alert)  # noqa: S101 - for mypy: the topic has no other
    return f"{iso(record.time)}  {record.severity:<8}  {record.message}  [{record.alert_id}]"

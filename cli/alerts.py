"""`foretick alerts`: rules, alerts and deliveries. The subscribers are in `cli/subscribers.py`."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from cli.alerts_database import Json, database, say
from cli.errors import UserError
from cli.tables import Wide
from cli.text import echo, echo_json
from settings import Settings
from topics.markets import canonical, canonical_pattern
from topics.units import interval_ms

if TYPE_CHECKING:
    from psycopg import Connection

    from alerts.rules.rule import Rule, Severity, When

app = typer.Typer(no_args_is_help=True, help="Alert rules, their alerts, subscribers and deliveries.")

RuleName = Annotated[str, typer.Argument(help="The rule's name.")]


@app.command()
def add(  # noqa: PLR0913 - a command's options
    name: RuleName,
    on: Annotated[str, typer.Option(help="prediction, outcome, regime, drift, gap, model-event or health.")],
    when: Annotated[
        str,
        typer.Option(help="'mean above 10bp', 'p_up above 0.7', 'state becomes turbulent', 'coverage below 80%', any."),
    ],
    symbol: Annotated[list[str] | None, typer.Option(help="Only this symbol, or pattern (BTC*), and others.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model's.")] = None,
    horizon: Annotated[int | None, typer.Option(help="Only this horizon, in bars.")] = None,
    interval: Annotated[str | None, typer.Option(help="Only bars of this interval (1m).")] = None,
    min_confidence: Annotated[float | None, typer.Option(help="Only if |P(up) - 0.5| is at least this.")] = None,
    min_signal: Annotated[float | None, typer.Option(help="Only if |mean| / scale is at least this.")] = None,
    rearm: Annotated[str | None, typer.Option(help="Alert again only after the value has come back to this.")] = None,
    cooldown: Annotated[str | None, typer.Option(help="Least time between two alerts about a symbol (30m).")] = None,
    quiet: Annotated[str | None, typer.Option(help="Hours in which the rule makes no alerts: 22:00-07:00.")] = None,
    zone: Annotated[str, typer.Option(help="The time zone of the quiet hours.")] = "UTC",
    window: Annotated[
        int, typer.Option(help="The number of outcomes for coverage, hit_rate, pinball_skill and mae_skill.")
    ] = 100,
    severity: Annotated[str, typer.Option(help="info, warning or critical.")] = "warning",
    message: Annotated[str, typer.Option(help="The message template, with names in braces: '{symbol} {value}'.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Replace the rule of that name.")] = False,
    as_json: Json = False,
) -> None:
    """Add a rule. It takes effect within a second, for new records."""
    from alerts.rules import condition_text
    from alerts.rules.check import check
    from alerts.rules.quiet_hours import parse as parse_quiet
    from alerts.rules.rule import Rule
    from alerts.store import user_changes

    try:
        condition = condition_text.parse_when(on, when)
        rule = Rule(
            name=name,
            on=on,
            when=condition,
            symbols=tuple(map(canonical_pattern, symbol or ())),
            model=model,
            horizon=horizon,
            interval=interval,
            min_confidence=min_confidence,
            min_signal=min_signal,
            rearm=_level(condition, on, rearm),
            cooldown_ms=_cooldown_ms(cooldown),
            quiet=parse_quiet(quiet, zone) if quiet else None,
            window=window,
            severity=_severity(severity),
            message=message,
        )
        check(rule)
    except ValueError as error:
        raise UserError(str(error)) from None
    with database() as connection:
        version = user_changes.add_rule(connection, rule, replace)
        unseen = _unseen(connection, rule)
    say(as_json, {"rule": name, "version": version, "note": unseen}, f"added {name}, version {version}{unseen}")


def _level(condition: "When", on: str, rearm: str | None) -> float | None:
    """Return the number that a value has to come back to. Raises ValueError where it is not a number."""
    from alerts.rules import condition_text

    level = condition_text.level(on, condition.field, rearm) if rearm and condition.field else None
    if rearm and level is None:
        raise ValueError("rearm: only a number comes back to a level")
    return level


def _severity(text: str) -> "Severity":
    from alerts.rules.rule import SEVERITIES

    known = next((one for one in SEVERITIES if one == text), None)
    if known is None:
        raise ValueError(f"severity {text!r} is none of {', '.join(SEVERITIES)}")
    return known


def _cooldown_ms(text: str | None) -> int:
    try:
        return interval_ms(text) if text else 0
    except ValueError as error:
        raise ValueError(f"--cooldown: {error}") from None


def _unseen(connection: "Connection", rule: "Rule") -> str:
    """Return a note if no stored record is of the rule's symbols or model, which may be intended."""
    from alerts.rules.observation import chosen

    symbols = {row[0] for row in connection.execute("SELECT DISTINCT symbol FROM series").fetchall()}
    models = {row[0] for row in connection.execute("SELECT DISTINCT model FROM series").fetchall()}
    if rule.on != "health" and rule.symbols and symbols and not any(chosen(rule.symbols, one) for one in symbols):
        return f"; no stored symbol matches {' or '.join(rule.symbols)}: there are {', '.join(sorted(symbols)[:10])}"
    if rule.model and models and rule.model not in models:
        return f"; no stored forecast is of model {rule.model}: there are {', '.join(sorted(models))}"
    return ""


@app.command()
def rm(name: RuleName, as_json: Json = False) -> None:
    """Remove a rule, and its mutes. Its alerts stay."""
    from alerts.store import user_changes
    from alerts.store.names import absent, rules_in_force

    with database() as connection:
        if not user_changes.remove_rule(connection, name):
            raise UserError(absent("rule", name, rules_in_force(connection)))
    say(as_json, {"removed": name}, f"removed {name}")


@app.command("list")
def list_(wide: Wide = False, as_json: Json = False) -> None:
    """Show the rules, the subscribers, their deliveries and the mutes."""
    from alerts.store.overview import overview

    with database() as connection:
        result = overview(connection, Settings())
    if as_json:
        echo_json(msgspec.json.encode(result))
    else:
        from cli.alerts_tables import show

        show(result, wide)


@app.command("test")
def try_(
    name: Annotated[str | None, typer.Argument(help="The rule to backtest on stored records.")] = None,
    days: Annotated[float, typer.Option(min=0.01, help="How many days, back from the newest record.")] = 7,
    send: Annotated[str | None, typer.Option(help="Send a test message to this subscriber.")] = None,
    as_json: Json = False,
) -> None:
    """Backtest a rule on stored records, and send a test message if asked to."""
    from alerts.store.history import backtest
    from alerts.store.names import absent, rules_in_force
    from alerts.store.overview import rule_in_force

    if name is None and send is None:
        raise UserError("give a rule, or --send with a subscriber: foretick alerts list")
    with database() as connection:
        rule = rule_in_force(connection, name) if name else None
        if name and rule is None:
            raise UserError(absent("rule", name, rules_in_force(connection)))
        rule_backtest = backtest(connection, rule, days) if rule else None
    if rule_backtest is not None and as_json:
        echo_json(msgspec.json.encode(rule_backtest._asdict()))
    elif rule_backtest is not None:
        from cli.alerts_tables import show_backtest

        show_backtest(name or "", days, rule_backtest)
    if send is not None:
        from cli.subscribers import send_test

        send_test(send)
        say(as_json, {"sent": send}, f"sent a test message to {send}")


@app.command()
def tail(
    count: Annotated[int, typer.Option("-n", min=1, help="How many alerts to show.")] = 10,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Continue with new ones until Ctrl-C.")] = False,
    symbol: Annotated[str | None, typer.Option(help="Only this symbol.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Print the newest alerts from the topic, with the ids that `ack` and `mute` take."""
    from cli.alerts_tables import line_of
    from cli.topics import watch
    from topics.catalog import ALERTS

    if watch(ALERTS, count, follow, symbol, None if as_json else line_of) or as_json or follow:
        return
    from alerts.store.overview import overview
    from cli.alerts_tables import silence

    with database() as connection:
        echo(silence(overview(connection, Settings()).rules, canonical(symbol) if symbol else None))


@app.command()
def ack(
    alert: Annotated[list[str], typer.Argument(help="The alerts' ids, as `tail` shows them.")],
    note: Annotated[str, typer.Option(help="What was done about it.")] = "",
    as_json: Json = False,
) -> None:
    """Acknowledge alerts."""
    from alerts.store import user_changes

    with database() as connection:
        unknown = user_changes.acknowledge(connection, alert, note)
    if unknown:
        raise UserError(f"there is no alert {', '.join(unknown)}: foretick alerts tail shows the ids")
    say(as_json, {"acknowledged": alert}, f"acknowledged {len(alert)}")

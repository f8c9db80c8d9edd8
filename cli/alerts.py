"""`foretick alerts`: rules, what they said, and what became of it. Who is told is in `cli/subscribers.py`."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from cli.alerts_database import Json, database, say
from cli.errors import UserError
from cli.text import echo, echo_json
from topics.units import interval_ms

if TYPE_CHECKING:
    from psycopg import Connection

    from alerts.rule import Rule

app = typer.Typer(no_args_is_help=True, help="Rules that watch the stream, who is told, and what became of it.")

RuleName = Annotated[str, typer.Argument(help="The rule's name.")]


@app.command()
def add(
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
    min_confidence: Annotated[float | None, typer.Option(help="Only where |P(up) - 0.5| is at least this.")] = None,
    min_signal: Annotated[float | None, typer.Option(help="Only where |mean| / scale is at least this.")] = None,
    rearm: Annotated[str | None, typer.Option(help="Speak again only once the value has come back to this.")] = None,
    cooldown: Annotated[str | None, typer.Option(help="Least time between two alerts about a symbol (30m).")] = None,
    quiet: Annotated[str | None, typer.Option(help="Hours in which the rule is silent: 22:00-07:00.")] = None,
    zone: Annotated[str, typer.Option(help="The time zone of the quiet hours.")] = "UTC",
    window: Annotated[int, typer.Option(help="How many outcomes coverage, hit_rate and skill look back on.")] = 100,
    severity: Annotated[str, typer.Option(help="info, warning or critical.")] = "warning",
    message: Annotated[str, typer.Option(help="The alert's words, with names in braces: '{symbol} {value}'.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of the rule of that name.")] = False,
    as_json: Json = False,
) -> None:
    """Add a rule. It counts within a second, for what comes from then on."""
    from alerts import changes, wording  # noqa: PLC0415 - as in `database`
    from alerts.check import check  # noqa: PLC0415
    from alerts.quiet import parse as parse_quiet  # noqa: PLC0415
    from alerts.rule import SEVERITIES, Rule  # noqa: PLC0415

    try:
        condition = wording.parse_when(on, when)
        level = wording.level(on, condition.field, rearm) if rearm and condition.field else None
        if rearm and level is None:
            raise ValueError("rearm: only a number comes back to a level")
        known = next((one for one in SEVERITIES if one == severity), None)
        if known is None:
            raise ValueError(f"severity {severity!r} is none of {', '.join(SEVERITIES)}")
        rule = Rule(
            name,
            on,
            condition,
            tuple(symbol or ()),
            model,
            horizon,
            interval,
            min_confidence,
            min_signal,
            level,
            _cooldown_ms(cooldown),
            parse_quiet(quiet, zone) if quiet else None,
            window,
            known,
            message,
        )
        check(rule)
    except ValueError as error:
        raise UserError(str(error)) from None
    with database() as connection:
        version = changes.add_rule(connection, rule, replace)
        unseen = _unseen(connection, rule)
    say(as_json, {"rule": name, "version": version, "note": unseen}, f"added {name}, version {version}{unseen}")


def _cooldown_ms(text: str | None) -> int:
    try:
        return interval_ms(text) if text else 0
    except ValueError as error:
        raise ValueError(f"--cooldown: {error}") from None


def _unseen(connection: "Connection", rule: "Rule") -> str:
    """Return a note where nothing that is stored is what the rule is about; it may be no mistake."""
    from alerts.observation import chosen  # noqa: PLC0415 - as in `database`

    symbols = {row[0] for row in connection.execute("SELECT DISTINCT symbol FROM series").fetchall()}
    models = {row[0] for row in connection.execute("SELECT DISTINCT model FROM series").fetchall()}
    if rule.on != "health" and rule.symbols and symbols and not any(chosen(rule.symbols, one) for one in symbols):
        return f"; no symbol so far is {' or '.join(rule.symbols)}: there are {', '.join(sorted(symbols)[:10])}"
    if rule.model and models and rule.model not in models:
        return f"; no model {rule.model} has forecast so far: there are {', '.join(sorted(models))}"
    return ""


@app.command()
def rm(name: RuleName, as_json: Json = False) -> None:
    """Remove a rule. Its alerts stay."""
    from alerts import changes  # noqa: PLC0415 - as in `database`

    with database() as connection:
        if not changes.remove_rule(connection, name):
            raise UserError(f"there is no rule {name}: foretick alerts list")
    say(as_json, {"removed": name}, f"removed {name}")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show the rules, the subscribers, and what became of their deliveries."""
    from alerts.overview import overview  # noqa: PLC0415 - as in `database`

    with database() as connection:
        found = overview(connection)
    if as_json:
        echo_json(msgspec.json.encode(found))
    else:
        from cli.alerts_shown import show  # noqa: PLC0415 - rich's tables

        show(found)


@app.command("test")
def try_(
    name: Annotated[str | None, typer.Argument(help="The rule to try on the stored past.")] = None,
    days: Annotated[float, typer.Option(min=0.01, help="How many days of the past, back from the newest record.")] = 7,
    send: Annotated[str | None, typer.Option(help="Send a test message to this subscriber.")] = None,
    as_json: Json = False,
) -> None:
    """Tell how often a rule would have spoken, and send a test message where asked to."""
    from alerts.history import rehearse  # noqa: PLC0415 - as in `database`
    from alerts.overview import rule_in_force  # noqa: PLC0415

    if name is None and send is None:
        raise UserError("which rule, or --send to which subscriber? foretick alerts list")
    with database() as connection:
        rule = rule_in_force(connection, name) if name else None
        if name and rule is None:
            raise UserError(f"there is no rule {name}: foretick alerts list")
        found = rehearse(connection, rule, days) if rule else None
    if found is not None and as_json:
        echo_json(msgspec.json.encode(found._asdict()))
    elif found is not None:
        from cli.alerts_shown import show_rehearsal  # noqa: PLC0415

        show_rehearsal(name or "", days, found)
    if send is not None:
        from cli.subscribers import send_test  # noqa: PLC0415 - httpx and redis

        send_test(send)
        say(as_json, {"sent": send}, f"sent a test message to {send}")


@app.command()
def tail(
    count: Annotated[int, typer.Option("-n", min=1, help="How many alerts to show.")] = 10,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with new ones until Ctrl-C.")] = False,
    symbol: Annotated[str | None, typer.Option(help="Only this symbol.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Print the newest alerts from the topic, with the ids that `ack` and `mute` take."""
    from cli.alerts_shown import line_of  # noqa: PLC0415 - as in `database`
    from cli.topics import watch  # noqa: PLC0415 - a client of Kafka
    from topics.catalog import ALERTS  # noqa: PLC0415

    if watch(ALERTS, count, follow, symbol, None if as_json else line_of) or as_json or follow:
        return
    from alerts.overview import overview  # noqa: PLC0415 - as in `database`
    from cli.alerts_shown import silence  # noqa: PLC0415 - as above

    with database() as connection:
        echo(silence(overview(connection).rules, symbol))


@app.command()
def ack(
    alert: Annotated[list[str], typer.Argument(help="The alerts' ids, as `tail` shows them.")],
    note: Annotated[str, typer.Option(help="What was done about it.")] = "",
    as_json: Json = False,
) -> None:
    """Note that somebody has seen alerts."""
    from alerts import changes  # noqa: PLC0415 - as in `database`

    with database() as connection:
        unknown = changes.acknowledge(connection, alert, note)
    if unknown:
        raise UserError(f"there is no alert {', '.join(unknown)}: foretick alerts tail shows the ids")
    say(as_json, {"acknowledged": alert}, f"acknowledged {len(alert)}")


@app.command()
def mute(
    rule: Annotated[str | None, typer.Option(help="Alerts of this rule.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Alerts about this symbol.")] = None,
    alert: Annotated[str | None, typer.Option(help="The alert of this id.")] = None,
    until: Annotated[str | None, typer.Option(help="Until this time, ISO 8601, UTC where no zone is given.")] = None,
    for_: Annotated[str | None, typer.Option("--for", help="For so long: 30m, 8h, 2d.")] = None,
    as_json: Json = False,
) -> None:
    """Deliver nothing of a rule, about a symbol, or of an alert, for a while. Topic and table have it all the same."""
    from alerts import changes  # noqa: PLC0415 - as in `database`
    from alerts.subscriber import Mute  # noqa: PLC0415
    from cli.times import epoch_ms  # noqa: PLC0415

    if not (rule or symbol or alert):
        raise UserError("mute what? --rule, --symbol or --alert")
    if (until is None) == (for_ is None):
        raise UserError("mute until when? --until 2025-05-04T15:33, or --for 8h")
    try:
        moment = epoch_ms(until, "--until")
        end = (
            datetime.fromtimestamp(moment / 1000, UTC)
            if moment is not None
            else datetime.now(UTC) + timedelta(milliseconds=interval_ms(for_ or ""))
        )
    except ValueError as error:
        raise UserError(f"--for: {error}") from None
    with database() as connection:
        ended = changes.mute(connection, Mute(rule, symbol, alert), end)
    say(
        as_json,
        {"muted_until": end, "deliveries_ended": ended},
        f"muted until {end:%Y-%m-%d %H:%M} UTC; {ended} waiting deliveries will not be made",
    )

"""`foretick alerts mute` and `unmute`: suppress deliveries for a while or until unmuted."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cli.alerts_database import Json, database, say
from cli.errors import UserError
from topics.markets import canonical
from topics.units import interval_ms

ALWAYS = "always"

Rule = Annotated[str | None, typer.Argument(help="Alerts of this rule.")]
Symbol = Annotated[str | None, typer.Option(help="Alerts about this symbol.")]
Alert = Annotated[str | None, typer.Option(help="The alert of this id.")]


def mute(
    rule: Rule = None,
    how_long: Annotated[str | None, typer.Argument(help="30m, 8h or 2d; always: until `unmute`.")] = None,
    symbol: Symbol = None,
    alert: Alert = None,
    until: Annotated[str | None, typer.Option(help="Until this time, ISO 8601, UTC if no zone is given.")] = None,
    for_: Annotated[str | None, typer.Option("--for", help="The duration, if no rule is named: 8h or always.")] = None,
    as_json: Json = False,
) -> None:
    """Mute a rule, a symbol or an alert for a while: no deliveries, but topic and table still have the alerts."""
    from alerts.store import mutes
    from alerts.subscriber import Mute

    if not (rule or symbol or alert):
        raise UserError("mute what? RULE, --symbol or --alert")
    given = [one for one in (how_long, for_, until) if one is not None]
    if len(given) != 1:
        raise UserError("mute until when? mute RULE 8h, mute RULE always, --for 8h, or --until 2025-05-04T15:33")
    end = _end(how_long or for_, until)
    with database() as connection:
        ended = mutes.mute(connection, Mute(rule, canonical(symbol) if symbol else None, alert), end)
    lasts = "until `foretick alerts unmute`" if end is None else f"until {end:%Y-%m-%d %H:%M} UTC"
    say(
        as_json,
        {"muted_until": end, "deliveries_ended": ended},
        f"{_what(rule, symbol, alert)}: muted {lasts}; {ended} waiting deliveries will not be made",
    )


def _what(*named: str | None) -> str:
    return ", ".join(filter(None, named))


def _end(how_long: str | None, until: str | None) -> datetime | None:
    """Return when a mute ends, None for never. Raises UserError if it is no time, or in the past."""
    from cli.times import epoch_ms

    if how_long == ALWAYS:
        return None
    now = datetime.now(UTC)
    if how_long is not None:
        try:
            return now + timedelta(milliseconds=interval_ms(how_long))
        except (ValueError, OverflowError) as error:
            raise UserError(f"for how long? {error}, or {ALWAYS}") from None
    end = datetime.fromtimestamp((epoch_ms(until, "--until") or 0) / 1000, UTC)
    if end <= now:
        raise UserError(f"--until {until} is in the past: now it is {now:%Y-%m-%dT%H:%M} UTC")
    return end


def unmute(rule: Rule = None, symbol: Symbol = None, alert: Alert = None, as_json: Json = False) -> None:
    """Unmute a rule, a symbol or an alert. Alerts that were muted are not delivered later."""
    from alerts.store import mutes
    from alerts.store.names import absent, rules_in_force
    from alerts.subscriber import Mute

    if not (rule or symbol or alert):
        raise UserError("unmute what? RULE, --symbol or --alert; foretick alerts list shows the mutes")
    with database() as connection:
        ended = mutes.unmute(connection, Mute(rule, canonical(symbol) if symbol else None, alert))
        if not ended:
            known = rules_in_force(connection)
            if rule is not None and rule not in known:
                raise UserError(absent("rule", rule, known))
            raise UserError("nothing of that is muted: foretick alerts list shows the mutes")
    say(as_json, {"mutes_ended": ended}, f"{_what(rule, symbol, alert)}: {ended} mute{'s' if ended != 1 else ''} ended")

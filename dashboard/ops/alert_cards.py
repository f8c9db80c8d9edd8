"""The cards of alerts, deliveries and the pages' actions."""

from datetime import UTC, datetime
from html import escape

from alerts.store.mutes import MuteShown
from alerts.store.overview import SubscriberShown
from dashboard.actions.button import Field, button
from dashboard.bridge import chooser
from dashboard.html import Html, moment
from dashboard.ops.html import SECOND, Cell, Column, bar, note, table, title, to_second, together, zoned
from dashboard.ops.tables import MOST_ACTIONS, MOST_ALERTS, AlertLine, Tables

KINDS = {"info": "muted", "warning": "stale", "critical": "unreachable"}
MUTE_HOURS = 8


def alerts(tables: Tables, every: bool) -> str:
    """Return the newest alerts: those that nobody has acknowledged, or every one."""
    some = [one for one in tables.alerts if every or one.seen_at is None]
    head = title(
        "Alerts", f"of the {MOST_ALERTS} newest" if every else f"not acknowledged, of the {MOST_ALERTS} newest"
    )
    switch = chooser("Also acknowledged ones", "alerts|" if every else "alerts|all", pressed=every)
    new = [one.alert.alert_id for one in some if one.seen_at is None]
    bulk = _acknowledge("Acknowledge all shown", new, f"{len(new)} alerts") if new else ""
    buttons = bar(switch, bulk)
    if not tables.alerts:
        return head + note("No alert was made yet: foretick alerts list shows the rules.")
    if not some:
        return head + buttons + note("Every alert is acknowledged.")
    columns = (
        *(Column(zoned("event time"), left=True), Column("severity", left=True), Column("alert", words=True)),
        *(Column("deliveries", words=True), Column("", left=True)),
    )
    return head + buttons + table(columns, [_row(one) for one in some], "Alerts")


def _row(one: AlertLine) -> tuple[Cell, ...]:
    alert = one.alert
    when = to_second(datetime.fromtimestamp(alert.time / 1_000, UTC))
    seen = (
        f"<br><small>acknowledged {moment(one.seen_at, f'{SECOND} %Z')}: {escape(one.note or '')}</small>"
        if one.seen_at
        else ""
    )
    text = Html(f"<b>{escape(alert.rule)}</b> {escape(alert.symbol)}: {escape(alert.message)}{seen}")
    told = one.told or ("no subscriber" if one.published_at else "not published yet")
    what = f"{alert.rule} {alert.symbol}: {alert.message}"
    parts = [] if one.seen_at else [_acknowledge("Acknowledge", [alert.alert_id], what)]
    parts.append(_mute(one))
    severity = Html(f'<span class="{KINDS[alert.severity]}">{escape(alert.severity)}</span>')
    return when, severity, text, told, together(*parts)


def _acknowledge(label: str, alert_ids: list[str], text: str) -> str:
    return button("alerts-acknowledge", label, {"alert_ids": alert_ids}, title="Acknowledge", text=text)


def _mute(one: AlertLine) -> str:
    rule, symbol = one.alert.rule, one.alert.symbol
    return button(
        "alerts-mute",
        "Mute",
        {"rule": rule, "symbol": symbol},
        title="Mute",
        text=f"Nothing of the rule {rule} on {symbol} is delivered for so long; alerts are still made and shown here.",
        fields=[
            Field(name="hours", label="Hours (empty: until it is taken back)", kind="number", value=str(MUTE_HOURS))
        ],
    )


def deliveries(tables: Tables) -> str:
    """Return the subscribers with their deliveries, and the mutes in force."""
    columns = (
        *(Column("subscriber", left=True), Column("channel", left=True), Column("to", left=True)),
        *(
            Column("delivered"),
            Column("waiting"),
            Column("given up"),
            Column("muted"),
            Column("last error", words=True),
        ),
    )
    rows = [_subscriber(one) for one in tables.subscribers]
    told = table(columns, rows, "Subscribers") if rows else note("Nobody is told: foretick alerts subscribe adds one.")
    return title("Deliveries") + told + "<h3>Mutes in force</h3>" + _mutes(tables)


def _subscriber(one: SubscriberShown) -> tuple[Cell, ...]:
    since = f" since {moment(one.waiting_since, f'{SECOND} %Z')}" if one.waiting_since else ""
    waiting = Html(f"{one.waiting:,}{since}")
    counts = (f"{one.delivered:,}", waiting, f"{one.failed:,}", f"{one.muted:,}")
    return (one.name, one.channel, one.target, *counts, one.last_error or "")


def _mutes(tables: Tables) -> str:
    if not tables.mutes:
        return note("Nothing is muted.")
    columns = (Column("what", words=True), Column(zoned("until"), left=True), Column("", left=True))
    rows = []
    for one in tables.mutes:
        until = "it is taken back" if one.until is None else to_second(one.until)
        rows.append((_named(one), until, together(_unmute(one))))
    return table(columns, rows, "Mutes in force")


def _named(one: MuteShown) -> str:
    parts = (("rule", one.rule), ("symbol", one.symbol), ("alert", one.alert_id))
    return ", ".join(f"{name} {value}" for name, value in parts if value is not None)


def _unmute(one: MuteShown) -> str:
    request = {"rule": one.rule, "symbol": one.symbol, "alert_id": one.alert_id}
    return button("alerts-unmute", "Take back", request, title="Take back", text=f"The mute of {_named(one)} ends.")


def audit(tables: Tables) -> str:
    """Return what the pages' buttons did, and what was refused."""
    head = title("Actions of the dashboard", f"the {MOST_ACTIONS} newest, also refused ones")
    if not tables.actions:
        return head + note("None yet.")
    columns = (
        *(Column(zoned("time"), left=True), Column("action", left=True), Column("outcome", left=True)),
        *(Column("reason", words=True), Column("result", words=True), Column("from", left=True)),
    )
    kinds = {"done": "live", "failed": "stale", "refused": "unreachable"}
    rows = [
        (
            to_second(one.time),
            one.action,
            Html(f'<span class="{kinds[one.outcome]}">{escape(one.outcome)}</span>'),
            one.reason,
            one.result,
            one.client,
        )
        for one in tables.actions
    ]
    return head + table(columns, rows, "Actions of the dashboard")

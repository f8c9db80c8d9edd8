"""Changes by users: rules, subscribers, acknowledgements (mutes: `alerts.store.mutes`). Each is one transaction."""

from collections.abc import Sequence

import msgspec
from psycopg import Connection

from alerts.rules.check import check
from alerts.rules.rule import Rule
from alerts.subscriber import Subscriber

ADD = """
INSERT INTO alert_rules (name, version, definition)
SELECT %(name)s, coalesce(max(version), 0) + 1, %(definition)s FROM alert_rules WHERE name = %(name)s RETURNING version
"""
IN_FORCE = "SELECT version FROM alert_rules WHERE name = %s AND removed_at IS NULL"
REMOVE = "UPDATE alert_rules SET removed_at = now() WHERE name = %s AND removed_at IS NULL"
FORGET = "DELETE FROM alert_states WHERE rule = %s"
SUBSCRIBE = """
INSERT INTO alert_subscribers (name, channel, target, rules, symbols, severity, per_minute, burst, summarise)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (name) DO UPDATE SET (channel, target, rules, symbols, severity, per_minute, burst, summarise, tokens) =
    ROW(excluded.channel, excluded.target, excluded.rules, excluded.symbols, excluded.severity, excluded.per_minute,
        excluded.burst, excluded.summarise, NULL)
"""
UNSUBSCRIBE = "DELETE FROM alert_subscribers WHERE name = %s"
END = """
UPDATE alert_deliveries SET state = 'failed', error = 'unsubscribed', ended_at = now()
WHERE subscriber = %s AND state = 'waiting'
"""
UNMUTE = "DELETE FROM alert_mutes WHERE rule = %s"
KNOWN = "SELECT alert_id FROM alert_outbox WHERE alert_id = ANY (%s)"
ACKNOWLEDGE = """
INSERT INTO alert_acknowledgements (alert_id, note) SELECT id, %s FROM unnest(%s::text[]) AS id
ON CONFLICT (alert_id) DO NOTHING
"""


def add_rule(connection: Connection, rule: Rule, replace: bool = False) -> int:
    """Put a rule into force and return its version; the previous version ends. Raises ValueError for a mistake in it,
    or if there is one of that name and `replace` is false.
    """
    check(rule)
    with connection.transaction():
        if connection.execute(IN_FORCE, (rule.name,)).fetchone() is not None:
            if not replace:
                raise ValueError(f"there is a rule {rule.name} already: --replace replaces it")
            _end(connection, rule.name)
        definition = msgspec.json.encode(msgspec.structs.replace(rule, version=0)).decode()
        row = connection.execute(ADD, {"name": rule.name, "definition": definition}).fetchone()
    assert row is not None  # noqa: S101 - for mypy: an insert of one row returns one
    return int(row[0])


def remove_rule(connection: Connection, name: str) -> bool:
    """End a rule and its mutes, which must not apply to another rule of that name; return whether there was one."""
    with connection.transaction():
        connection.execute(UNMUTE, (name,))
        return _end(connection, name)


def _end(connection: Connection, name: str) -> bool:
    connection.execute(FORGET, (name,))
    return connection.execute(REMOVE, (name,)).rowcount > 0


def subscribe(connection: Connection, subscriber: Subscriber) -> None:
    """Add a subscriber, or change the one of that name; alerts made from now on are theirs."""
    one = subscriber
    row = (one.name, one.channel, one.target, list(one.rules), list(one.symbols), one.severity)
    connection.execute(SUBSCRIBE, (*row, one.per_minute, one.burst, one.summarise))


def unsubscribe(connection: Connection, name: str) -> bool:
    """Remove a subscriber, with its waiting deliveries; return whether there was one."""
    with connection.transaction():
        connection.execute(END, (name,))
        return connection.execute(UNSUBSCRIBE, (name,)).rowcount > 0


def acknowledge(connection: Connection, alert_ids: Sequence[str], note: str = "") -> list[str]:
    """Record that a user has seen these alerts; return the unknown ids."""
    with connection.transaction():
        known = {row[0] for row in connection.execute(KNOWN, (list(alert_ids),)).fetchall()}
        connection.execute(ACKNOWLEDGE, (note, [one for one in alert_ids if one in known]))
    return [one for one in alert_ids if one not in known]

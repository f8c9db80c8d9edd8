"""What `foretick alerts list` and `foretick status` show: rules, subscribers, and what became of the deliveries."""

from datetime import datetime

import msgspec
from msgspec import Struct
from psycopg import Connection

from alerts.check import decode
from alerts.rule import Rule
from alerts.subscriber import Subscriber

RULES = """
SELECT r.name, r.version, r.definition::text, r.added_at,
    (SELECT count(*) FROM alerts a WHERE a.rule = r.name AND a.rule_version = r.version),
    (SELECT max(a.time) FROM alerts a WHERE a.rule = r.name AND a.rule_version = r.version),
    (SELECT max(m.until) FROM alert_mutes m WHERE m.rule = r.name AND m.symbol IS NULL AND m.until > now())
FROM alert_rules r WHERE r.removed_at IS NULL ORDER BY r.name
"""
SUBSCRIBERS = """
SELECT s.name, s.channel, s.target, s.rules, s.symbols, s.severity, s.per_minute, s.summarise,
    count(d) FILTER (WHERE d.state = 'waiting'), count(d) FILTER (WHERE d.state = 'delivered'),
    count(d) FILTER (WHERE d.state = 'failed'), count(d) FILTER (WHERE d.state = 'muted'),
    (SELECT e.error FROM alert_deliveries e WHERE e.subscriber = s.name AND e.error IS NOT NULL
     ORDER BY e.state = 'waiting' DESC, e.number DESC LIMIT 1)
FROM alert_subscribers s LEFT JOIN alert_deliveries d ON d.subscriber = s.name
GROUP BY s.name ORDER BY s.name
"""
SUBSCRIBER = """
SELECT name, channel, target, rules, symbols, severity, per_minute, burst, summarise
FROM alert_subscribers WHERE name = %s
"""


class RuleShown(Struct, frozen=True):
    """A rule in force; `rule` is None where this version of Foretick cannot use it, and `problem` says why."""

    name: str
    version: int
    rule: Rule | None
    problem: str | None
    added_at: datetime
    alerts: int
    last: datetime | None
    muted_until: datetime | None


class SubscriberShown(Struct, frozen=True):
    """A subscriber, and how many deliveries are in which state."""

    name: str
    channel: str
    target: str
    rules: list[str]
    symbols: list[str]
    severity: str
    per_minute: float
    summarise: bool
    waiting: int
    delivered: int
    failed: int
    muted: int
    last_error: str | None


class Overview(Struct, frozen=True):
    """All of it."""

    rules: list[RuleShown]
    subscribers: list[SubscriberShown]


def overview(connection: Connection) -> Overview:
    """Return the rules and subscribers in force."""
    rules = [_rule(*row) for row in connection.execute(RULES).fetchall()]
    subscribers = [SubscriberShown(*row) for row in connection.execute(SUBSCRIBERS).fetchall()]
    return Overview(rules, subscribers)


def _rule(
    name: str,
    version: int,
    definition: str,
    added_at: datetime,
    alerts: int,
    last: datetime | None,
    muted_until: datetime | None,
) -> RuleShown:
    rule, problem = None, None
    try:
        rule = msgspec.structs.replace(decode(definition.encode()), version=version)
    except ValueError as error:
        problem = str(error)
    return RuleShown(name, version, rule, problem, added_at, alerts, last, muted_until)


def rule_in_force(connection: Connection, name: str) -> Rule | None:
    """Return a rule by its name, None where there is none. Raises ValueError where it cannot be used."""
    query = "SELECT version, definition::text FROM alert_rules WHERE name = %s AND removed_at IS NULL"
    row = connection.execute(query, (name,)).fetchone()
    return None if row is None else msgspec.structs.replace(decode(row[1].encode()), version=row[0])


def subscriber_named(connection: Connection, name: str) -> Subscriber | None:
    """Return a subscriber by its name, None where there is none."""
    row = connection.execute(SUBSCRIBER, (name,)).fetchone()
    return (
        None if row is None else msgspec.convert(dict(zip(Subscriber.__struct_fields__, row, strict=True)), Subscriber)
    )

"""What `foretick alerts list` and `foretick status` show: rules, subscribers, and deliveries."""

from datetime import datetime

import msgspec
from msgspec import Struct
from psycopg import Connection

from alerts.rules.check import decode
from alerts.rules.rule import Rule
from alerts.store import mutes, worker_settings
from alerts.store.mutes import MuteShown
from alerts.store.worker_settings import Difference, EffectiveSettings
from alerts.subscriber import Subscriber
from settings import Settings
from storage.row_records import record_of

RULES = """
SELECT r.name, r.version, r.definition::text, r.added_at,
    (SELECT count(*) FROM alerts a WHERE a.rule = r.name AND a.rule_version = r.version),
    (SELECT max(a.time) FROM alerts a WHERE a.rule = r.name AND a.rule_version = r.version)
FROM alert_rules r WHERE r.removed_at IS NULL ORDER BY r.name
"""
SUBSCRIBERS = """
SELECT s.name, s.channel, s.target, s.rules, s.symbols, s.severity, s.per_minute, s.summarise,
    count(d) FILTER (WHERE d.state = 'waiting'), count(d) FILTER (WHERE d.state = 'delivered'),
    count(d) FILTER (WHERE d.state = 'failed'), count(d) FILTER (WHERE d.state = 'muted'),
    (SELECT e.error FROM alert_deliveries e WHERE e.subscriber = s.name AND e.error IS NOT NULL
     ORDER BY e.state = 'waiting' DESC, e.number DESC LIMIT 1),
    bool_or(d.error IS NOT NULL) FILTER (WHERE d.state = 'waiting') IS TRUE,
    min(d.made_at) FILTER (WHERE d.state = 'waiting')
FROM alert_subscribers s LEFT JOIN alert_deliveries d ON d.subscriber = s.name
GROUP BY s.name ORDER BY s.name
"""
SUBSCRIBER = """
SELECT name, channel, target, rules, symbols, severity, per_minute, burst, summarise
FROM alert_subscribers WHERE name = %s
"""


class RuleShown(Struct, frozen=True, kw_only=True):
    """A rule in force; `rule` is None if this version of Foretick cannot use it, and `problem` is the reason."""

    name: str
    version: int
    rule: Rule | None
    problem: str | None
    added_at: datetime
    alerts: int
    last: datetime | None


class SubscriberShown(Struct, frozen=True, kw_only=True):
    """A subscriber, and the number of deliveries by state. `refused`: waiting ones were attempted and failed;
    `last_error` is the reason.
    """

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
    refused: bool
    waiting_since: datetime | None


class Overview(Struct, frozen=True, kw_only=True):
    """The overview. `worker` are the settings of the running worker, None if there is none; `differences` are the
    command's differing ones.
    """

    rules: list[RuleShown]
    subscribers: list[SubscriberShown]
    mutes: list[MuteShown]
    worker: EffectiveSettings | None
    differences: list[Difference]


def overview(connection: Connection, settings: Settings) -> Overview:
    """Return the rules, subscribers and mutes in force, and the worker's settings."""
    rules = [_rule(*row) for row in connection.execute(RULES).fetchall()]
    subscribers = [record_of(SubscriberShown, row) for row in connection.execute(SUBSCRIBERS).fetchall()]
    worker = worker_settings.running(connection)
    differ = worker_settings.differences(worker_settings.of(settings), worker) if worker is not None else []
    return Overview(
        rules=rules, subscribers=subscribers, mutes=mutes.in_force(connection), worker=worker, differences=differ
    )


def _rule(
    name: str, version: int, definition: str, added_at: datetime, alerts: int, last: datetime | None
) -> RuleShown:
    rule, problem = None, None
    try:
        rule = msgspec.structs.replace(decode(definition.encode()), version=version)
    except ValueError as error:
        problem = str(error)
    return RuleShown(
        name=name, version=version, rule=rule, problem=problem, added_at=added_at, alerts=alerts, last=last
    )


def rule_in_force(connection: Connection, name: str) -> Rule | None:
    """Return a rule by its name, None if there is none. Raises ValueError if it cannot be used."""
    query = "SELECT version, definition::text FROM alert_rules WHERE name = %s AND removed_at IS NULL"
    row = connection.execute(query, (name,)).fetchone()
    return None if row is None else msgspec.structs.replace(decode(row[1].encode()), version=row[0])


def subscriber_named(connection: Connection, name: str) -> Subscriber | None:
    """Return a subscriber by its name, None if there is none."""
    row = connection.execute(SUBSCRIBER, (name,)).fetchone()
    return (
        None if row is None else msgspec.convert(dict(zip(Subscriber.__struct_fields__, row, strict=True)), Subscriber)
    )

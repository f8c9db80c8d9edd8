"""The rules, subscribers and mutes in force, from TimescaleDB."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from psycopg import AsyncConnection

from alerts.rules.check import decode
from alerts.rules.rule import Rule
from alerts.subscriber import Mute, Subscriber

RULES = "SELECT name, version, definition::text FROM alert_rules WHERE removed_at IS NULL ORDER BY name"
SUBSCRIBERS = """
SELECT name, channel, target, rules, symbols, severity, per_minute, burst, summarise
FROM alert_subscribers ORDER BY name
"""
MUTES = "SELECT rule, symbol, alert_id FROM alert_mutes WHERE until IS NULL OR until > now()"
FRESH_SECONDS = 1.0

S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True)
class RuleSet:
    """What is in force; `unusable` has one line for each rule that this version of Foretick cannot use."""

    rules: tuple[Rule, ...] = ()
    subscribers: tuple[Subscriber, ...] = ()
    mutes: tuple[Mute, ...] = ()
    unusable: tuple[str, ...] = ()


async def read(connection: AsyncConnection) -> RuleSet:
    """Return what is in force now."""
    rules: list[Rule] = []
    unusable: list[str] = []
    for name, version, definition in await (await connection.execute(RULES)).fetchall():
        try:
            rules.append(msgspec.structs.replace(decode(definition.encode()), version=version))
        except ValueError as error:
            unusable.append(f"rule {name} cannot be used: {error}")
    subscribers = _structs(await (await connection.execute(SUBSCRIBERS)).fetchall(), Subscriber)
    mutes = _structs(await (await connection.execute(MUTES)).fetchall(), Mute)
    return RuleSet(tuple(rules), subscribers, mutes, tuple(unusable))


def _structs(rows: Sequence[tuple[object, ...]], kind: type[S]) -> tuple[S, ...]:
    return tuple(msgspec.convert(dict(zip(kind.__struct_fields__, row, strict=True)), kind) for row in rows)


class CachedRuleSet:
    """The rule set, read again if it is older than a second: changes take effect then."""

    def __init__(self) -> None:
        self.rule_set = RuleSet()
        self._read_at = -FRESH_SECONDS

    async def on(self, connection: AsyncConnection) -> RuleSet:
        """Return the rule set; the same object as long as nothing changed. The connection is the caller's own."""
        if time.monotonic() - self._read_at >= FRESH_SECONDS:
            rule_set = await read(connection)
            self._read_at = time.monotonic()
            if rule_set != self.rule_set:
                self.rule_set = rule_set
        return self.rule_set

"""The rules, subscribers and mutes in force, as TimescaleDB has them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from psycopg import AsyncConnection

from alerts.check import decode
from alerts.rule import Rule
from alerts.subscriber import Mute, Subscriber

RULES = "SELECT name, version, definition::text FROM alert_rules WHERE removed_at IS NULL ORDER BY name"
SUBSCRIBERS = """
SELECT name, channel, target, rules, symbols, severity, per_minute, burst, summarise
FROM alert_subscribers ORDER BY name
"""
MUTES = "SELECT rule, symbol, alert_id FROM alert_mutes WHERE until > now()"
FRESH_SECONDS = 1.0

S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True)
class Book:
    """What holds now; `unusable` says in one line each which rules another version of Foretick must have added."""

    rules: tuple[Rule, ...] = ()
    subscribers: tuple[Subscriber, ...] = ()
    mutes: tuple[Mute, ...] = ()
    unusable: tuple[str, ...] = ()


async def read(connection: AsyncConnection) -> Book:
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
    return Book(tuple(rules), subscribers, mutes, tuple(unusable))


def _structs(rows: Sequence[tuple[object, ...]], kind: type[S]) -> tuple[S, ...]:
    return tuple(msgspec.convert(dict(zip(kind.__struct_fields__, row, strict=True)), kind) for row in rows)


class Latest:
    """The book, read anew where it was read more than a second ago: changes count from then on."""

    def __init__(self) -> None:
        self.book = Book()
        self._read_at = -FRESH_SECONDS

    async def on(self, connection: AsyncConnection) -> Book:
        """Return the book; the same object as long as nothing changed. The connection is the caller's alone."""
        if time.monotonic() - self._read_at >= FRESH_SECONDS:
            found = await read(connection)
            self._read_at = time.monotonic()
            if found != self.book:
                self.book = found
        return self.book

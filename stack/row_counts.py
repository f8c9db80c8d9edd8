"""Counts the rows of each table, and the undelivered alerts."""

import asyncio
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

TABLES = (
    *("ticks", "gaps", "bars", "features", "regimes", "predictions", "outcomes"),
    *("alerts", "model_events", "drift", "dead_letters"),
)
TIMEOUT_S = 20.0

UNDELIVERED = """
SELECT subscriber, count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'failed'),
    (array_agg(error ORDER BY number DESC) FILTER (WHERE error IS NOT NULL))[1]
FROM alert_deliveries WHERE state IN ('waiting', 'failed') GROUP BY subscriber ORDER BY subscriber
"""


LOST = """
SELECT reader, topic, sum(last_offset - first_offset + 1)::int8 FROM gaps
WHERE reader IS NOT NULL AND "end" > now() - interval '7 days' GROUP BY reader, topic ORDER BY reader, topic
"""


@dataclass(frozen=True)
class Undelivered:
    """A subscriber's waiting and given up alerts, and the last error."""

    waiting: int
    failed: int
    last_error: str | None


async def _asked(database_url: str, query: LiteralString) -> list[tuple[Any, ...]]:
    """Return the rows of a query, none if the database does not answer in time or has no such table."""
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            await psycopg.AsyncConnection.connect(database_url, connect_timeout=3, autocommit=True) as connection,
        ):
            return await (await connection.execute(query)).fetchall()
    except (psycopg.Error, TimeoutError):
        return []


async def undelivered(database_url: str) -> dict[str, Undelivered]:
    """Return each subscriber's undelivered alerts; nothing if unknown."""
    rows = await _asked(database_url, UNDELIVERED)
    return {subscriber: Undelivered(waiting, failed, error) for subscriber, waiting, failed, error in rows}


async def lost(database_url: str) -> dict[tuple[str, str], int]:
    """Return how many Kafka records of each topic each group lost in the last week; nothing if unknown."""
    rows = await _asked(database_url, LOST)
    return {(reader, topic): count for reader, topic, count in rows}


async def counts(database_url: str) -> dict[str, int | None]:
    """Return the number of rows of each table; None if unknown: no server, or no such table yet."""
    values: dict[str, int | None] = dict.fromkeys(TABLES)
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            await psycopg.AsyncConnection.connect(database_url, connect_timeout=3, autocommit=True) as connection,
        ):
            for table in TABLES:
                values[table] = await count(connection, table)
    except (psycopg.Error, TimeoutError):
        return values
    return values


async def count(connection: psycopg.AsyncConnection[tuple[int]], table: str) -> int | None:
    """Return the exact number of rows of a table, None when there is no such table."""
    try:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        row = await (await connection.execute(query)).fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return row[0] if row else None

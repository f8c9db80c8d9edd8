"""How much has gone through: the rows of each table."""

import asyncio

import psycopg
from psycopg import sql

TABLES = ("ticks", "bars", "features", "regimes", "predictions", "outcomes", "alerts", "dead_letters")
TIMEOUT_S = 20.0


async def counts(database_url: str) -> dict[str, int | None]:
    """Return the number of rows of each table; None where it is unknown: no server, or no such table yet."""
    found: dict[str, int | None] = dict.fromkeys(TABLES)
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            await psycopg.AsyncConnection.connect(database_url, connect_timeout=3, autocommit=True) as connection,
        ):
            for table in TABLES:
                found[table] = await count(connection, table)
    except (psycopg.Error, TimeoutError):
        return found
    return found


async def count(connection: psycopg.AsyncConnection[tuple[int]], table: str) -> int | None:
    """Return the exact number of rows of a table, None when there is no such table."""
    try:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        row = await (await connection.execute(query)).fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return row[0] if row else None

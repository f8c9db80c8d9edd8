"""TimescaleDB: migrations, and the writer of all records."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import psycopg
import stamina
from msgspec import Struct
from psycopg import AsyncConnection, sql

from storage import locks, tables
from storage.binary_copy import HEADER, TRAILER
from storage.errors import AwayError, RefusedError, StorageError, place, reason
from storage.locks import Lock
from storage.surrogate_keys import SurrogateKeys
from topics.catalog import OUTCOMES, PREDICTIONS, TICKS, Topic
from topics.records import Outcome, Prediction, Tick

MIGRATIONS = Path(__file__).parent / "sql"
RETRY_SECONDS = 60.0
CONNECT: dict[str, Any] = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""A server that is lost silently is detected in half a minute, and not in the kernel's two hours."""
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)
"""No connection, no space, starting, read-only: errors of the server not caused by the records."""
SERIES = {"symbol": "text", "interval": "text", "model": "text", "version": "text", "horizon": "int4"}
CONTEXTS = {"fingerprint": "text", "regime": "text", "role": "text", "expired": "bool"}
REFUSED = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded)
"""Errors caused by a row; the last, too large for an index, is operational in psycopg."""


def migrate(url: str, names: Collection[str] | None = None) -> None:
    """Migrate the schema: each numbered file of storage/sql once, in one transaction, or only those of these names. Two
    at once is safe. Where all are applied, nothing is written: a role that does not own the tables may call it too.

    Raises StorageError if the database cannot be reached or refuses.
    """
    where = place(url)
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            done = applied(connection)
            for path in sorted(MIGRATIONS.glob("[0-9]*.sql")):
                if path.stem in done or (names is not None and path.stem not in names):
                    continue
                with connection.transaction():
                    _migrate_one(connection, path)
    except psycopg.Error as error:
        raise StorageError(f"the schema at {where} could not be migrated: {reason(error)}") from None


def applied(connection: psycopg.Connection) -> set[str]:
    """Return the names of the migrations that a database has, none where there is no schema."""
    there = connection.execute("SELECT to_regclass('schema_migrations') IS NOT NULL").fetchone()
    rows = connection.execute("SELECT name FROM schema_migrations") if there and there[0] else ()
    return {name for (name,) in rows}


def _migrate_one(connection: psycopg.Connection, path: Path) -> None:
    locks.wait_in_transaction(connection, Lock.MIGRATION)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations "
        "(name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    done = connection.execute("SELECT FROM schema_migrations WHERE name = %s", (path.stem,)).rowcount
    if not done:
        connection.execute(path.read_bytes())
        connection.execute("INSERT INTO schema_migrations (name) VALUES (%s)", (path.stem,))


class Writer:
    """Writes batches of records, each batch in one durable transaction, over one connection.

    Writing a record again changes nothing; writing another record of the same identity replaces it. A lost connection
    is reopened, with growing pauses, for `patience_s` seconds.
    """

    def __init__(self, url: str, patience_s: float = RETRY_SECONDS) -> None:
        self._url = url
        self._patience_s = patience_s
        self._where = place(url)
        self._connection: AsyncConnection | None = None
        self._lock = asyncio.Lock()
        self._series = SurrogateKeys("series", "series_id", SERIES)
        self._contexts = SurrogateKeys("contexts", "context_id", CONTEXTS, nullable=("regime",))

    async def write(self, records: Mapping[Topic, Sequence[Struct]], tick_origins: Sequence[str] = ()) -> None:
        """Store all records, or none. When it returns they are on disk, and their offsets may be committed.

        `tick_origins` has one text per tick, from its origin (``partition-offset-row``).
        Raises AwayError if the database stays out of reach or has no space, RefusedError if it refuses them.
        """

        async def store(connection: AsyncConnection) -> None:
            batches = [
                await self._rows(connection, topic, rows, tick_origins) for topic, rows in records.items() if rows
            ]
            await _store(connection, batches)
            if records.get(OUTCOMES):
                await connection.execute(SUM_SCORES)

        await self._retry(store)

    async def define_features(self, fingerprint: str, names: Sequence[str]) -> None:
        """Store the names of the values of `features` with that fingerprint, once; raises StorageError as `write`
        does."""

        async def define(connection: AsyncConnection) -> None:
            await connection.execute(DEFINE, (fingerprint, list(names)))

        await self._retry(define)

    async def close(self) -> None:
        """Close the connection; a later write opens another."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _retry(self, act: Callable[[AsyncConnection], Awaitable[None]]) -> None:
        try:
            async for attempt in stamina.retry_context(AWAY, attempts=None, timeout=self._patience_s):
                with attempt:
                    async with self._lock:
                        await self._act(act)
        except AWAY as error:
            raise AwayError(f"{self._where} does not accept the records: {reason(error)}") from None
        except OSError as error:  # this machine's: no space, no descriptor
            raise AwayError(f"{self._where} cannot be reached: {error}") from None
        except psycopg.Error as error:
            raise StorageError(f"{self._where} refused the records: {reason(error)}") from None

    async def _act(self, act: Callable[[AsyncConnection], Awaitable[None]]) -> None:
        if self._connection is None:
            self._connection = await AsyncConnection.connect(self._url, autocommit=True, **CONNECT)
            self._series.forget()
            self._contexts.forget()
        try:
            await act(self._connection)
        except REFUSED as error:
            await self.close()
            raise RefusedError(f"{self._where} refused the records: {reason(error)}") from None
        except BaseException:
            # Also when cancelled: a connection in the middle of a COPY cannot be used again.
            await self.close()
            raise

    async def _rows(
        self, connection: AsyncConnection, topic: Topic, records: Sequence[Struct], tick_origins: Sequence[str]
    ) -> tables.Rows:
        if topic is TICKS:
            return tables.ticks(cast(Sequence[Tick], records), tick_origins)
        if topic is PREDICTIONS:
            made = cast(Sequence[Prediction], records)
            contexts = await self._contexts.of(connection, [(r.fingerprint, r.regime, r.role, r.expired) for r in made])
            return tables.predictions(
                made, await self._series.of(connection, tables.series_of_predictions(made)), contexts
            )
        if topic is OUTCOMES:
            known = cast(Sequence[Outcome], records)
            return tables.outcomes(known, await self._series.of(connection, tables.series_of_outcomes(known)))
        return tables.plain(topic, records)


async def _store(connection: AsyncConnection, batches: Sequence[tables.Rows]) -> None:
    """Copy the rows directly, assuming that all are new, as they nearly always are. If one is not, merge them
    instead."""
    try:
        async with connection.transaction():
            for rows in batches:
                await _copy(connection, sql.Identifier(rows.table), rows)
                if rows.scores is not None and rows.scores.columns:
                    await connection.execute(ADD_SCORES, rows.scores.columns)
    except psycopg.errors.UniqueViolation:
        async with connection.transaction():
            for rows in batches:
                await _merge(connection, rows)
                if rows.scores is not None:
                    await connection.execute(FORGET_SCORES, rows.scores.touched)


async def _copy(connection: AsyncConnection, table: sql.Identifier, rows: tables.Rows) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(table, _names(rows.columns))
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        await copy.write(b"".join((HEADER, rows.body, TRAILER)))


async def _merge(connection: AsyncConnection, rows: tables.Rows) -> None:
    """Upsert through a temporary table; of rows with one key the last wins, and equal rows are not rewritten."""
    staged = sql.Identifier("pg_temp", f"staged_{rows.table}")
    values = [name for name in rows.columns if name not in rows.key]
    names = {
        "table": sql.Identifier(rows.table),
        "name": sql.Identifier(f"staged_{rows.table}"),
        "staged": staged,
        "columns": _names(rows.columns),
        "key": _names(rows.key),
        "values": _names(values),
        "old": _names(values, rows.table),
        "new": _names(values, "excluded"),
    }
    await connection.execute(sql.SQL(STAGE).format(**names))
    await _copy(connection, staged, rows)
    await connection.execute(sql.SQL(MERGE).format(**names))


DEFINE = "INSERT INTO feature_definitions (fingerprint, names) VALUES (%s, %s) ON CONFLICT DO NOTHING"
ADD_SCORES = """
SELECT add_scores(array_agg(
    ROW(to_timestamp(hour), series_id, role, scored, paired, unpaired, intervals, interval_hits, directions,
        direction_hits, pinball, naive_pinball, absolute_error, naive_absolute_error)::score_sums
))
FROM unnest(
    %s::int8[], %s::int4[], %s::text[], %s::int4[], %s::int4[], %s::int4[], %s::int4[], %s::int4[], %s::int4[],
    %s::int4[], %s::float8[], %s::float8[], %s::float8[], %s::float8[]
) AS added(hour, series_id, role, scored, paired, unpaired, intervals, interval_hits, directions, direction_hits,
    pinball, naive_pinball, absolute_error, naive_absolute_error)
"""
FORGET_SCORES = """
SELECT forget_scores(array_agg(series_id), array_agg(to_timestamp(hour)))
FROM unnest(%s::int4[], %s::int8[]) AS touched(series_id, hour)
"""
SUM_SCORES = "SELECT sum_scores(interval '5 seconds', 200)"
"""Recomputes hours with stale sums, after some seconds without writes; queries meanwhile compute them themselves."""
STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS {name} (LIKE {table} INCLUDING DEFAULTS, arrival int8 GENERATED ALWAYS AS IDENTITY)
ON COMMIT DELETE ROWS
"""
MERGE = """
INSERT INTO {table} ({columns})
SELECT DISTINCT ON ({key}) {columns} FROM {staged} ORDER BY {key}, arrival DESC
ON CONFLICT ({key}) DO UPDATE SET ({values}) = ROW({new}) WHERE ({old}) IS DISTINCT FROM ({new})
"""


def _names(columns: Sequence[str], table: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(*filter(None, (table, name))) for name in columns)

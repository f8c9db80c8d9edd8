"""The small tables of surrogate keys for repeated values: series, and contexts."""

from collections.abc import Mapping, Sequence

from psycopg import AsyncConnection, sql

from storage.binary_copy import storable

Key = tuple[str | int | None, ...]

MOST = 100_000
"""The most cached keys. Producers choose models, versions and horizons, so the table may be larger."""


class SurrogateKeys:
    """The numbers of one table's keys; `columns` are these and their types. A key that may be NULL is in `nullable`.

    Each is queried when it first occurs, and cached; the cache is cleared when it is full.
    """

    def __init__(self, table: str, number: str, columns: Mapping[str, str], nullable: Sequence[str] = ()) -> None:
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        arrays = sql.SQL(", ").join(sql.SQL("%s::{}[]").format(sql.Identifier(kind)) for kind in columns.values())
        # Only where it must be: no index helps to find what is not distinct.
        same = {name: sql.SQL("IS NOT DISTINCT FROM" if name in nullable else "=") for name in columns}
        equal = sql.SQL(" AND ").join(
            sql.SQL("t.{0} {1} k.{0}").format(sql.Identifier(name), how) for name, how in same.items()
        )
        self._select = sql.SQL(
            "SELECT k.place, t.{} FROM unnest({}) WITH ORDINALITY AS k({}, place) JOIN {} AS t ON {}"
        ).format(sql.Identifier(number), arrays, names, sql.Identifier(table), equal)
        self._insert = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
            sql.Identifier(table), names, sql.SQL(", ").join(sql.Placeholder() * len(columns))
        )
        self._known: dict[Key, int] = {}

    async def of(self, connection: AsyncConnection, keys: Sequence[Key]) -> list[int]:
        """Return the number of each key; new keys are committed first, so that no row can name an unknown number."""
        try:
            return list(map(self._known.__getitem__, keys))
        except KeyError:
            if len(self._known) >= MOST:
                self._known.clear()
            await self._learn(connection, sorted(set(keys).difference(self._known), key=repr))
            numbers = list(map(self._known.__getitem__, keys))
            if len(self._known) > 2 * MOST:
                self._known.clear()
            return numbers

    def forget(self) -> None:
        """Clear the cache: the database may be another one after a reconnect."""
        self._known.clear()

    async def _learn(self, connection: AsyncConnection, new: Sequence[Key]) -> None:
        stored = {key: tuple(storable(part) if isinstance(part, str) else part for part in key) for key in new}
        wanted = list(dict.fromkeys(stored.values()))
        values = await self._read(connection, wanted)
        missing = [key for key in wanted if key not in values]
        if missing:
            async with connection.cursor() as cursor:
                await cursor.executemany(self._insert, missing)
            values |= await self._read(connection, missing)
        self._known |= {key: values[value] for key, value in stored.items()}

    async def _read(self, connection: AsyncConnection, keys: Sequence[Key]) -> dict[Key, int]:
        """Return the numbers of the existing keys."""
        cursor = await connection.execute(self._select, [list(column) for column in zip(*keys, strict=True)])
        return {keys[place - 1]: number for place, number in await cursor.fetchall()}

"""The small tables that give a number to what repeats in every prediction: series, and contexts."""

from collections.abc import Iterable, Sequence

from psycopg import AsyncConnection, sql

from storage.binary import storable

Key = tuple[str | int | None, ...]


class Numbers:
    """The numbers of one table's keys, read once and added to when a new key comes."""

    def __init__(self, table: str, number: str, columns: Sequence[str]) -> None:
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        self._select = sql.SQL("SELECT {}, {} FROM {}").format(sql.Identifier(number), names, sql.Identifier(table))
        self._insert = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
            sql.Identifier(table), names, sql.SQL(", ").join(sql.Placeholder() * len(columns))
        )
        self._known: dict[Key, int] = {}

    async def of(self, connection: AsyncConnection, keys: Sequence[Key]) -> list[int]:
        """Return the number of each key; new keys are committed first, so that no row can name an unknown number."""
        try:
            return list(map(self._known.__getitem__, keys))
        except KeyError:
            await self._learn(connection, set(keys).difference(self._known))
            return list(map(self._known.__getitem__, keys))

    def forget(self) -> None:
        """Read the table again at the next call: another database may answer then."""
        self._known.clear()

    async def _learn(self, connection: AsyncConnection, new: Iterable[Key]) -> None:
        stored = {key: tuple(storable(part) if isinstance(part, str) else part for part in key) for key in new}
        await self._read(connection)
        missing = sorted({key for key in stored.values() if key not in self._known}, key=repr)
        if missing:
            async with connection.cursor() as cursor:
                await cursor.executemany(self._insert, missing)
            await self._read(connection)
        self._known |= {key: self._known[value] for key, value in stored.items()}

    async def _read(self, connection: AsyncConnection) -> None:
        cursor = await connection.execute(self._select)
        self._known |= {tuple(key): number for number, *key in await cursor.fetchall()}

"""Stores records of which the database may refuse one: that one is found, and all others are stored."""

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from storage.errors import RefusedError, StorageError
from stream.letters import told

Write = Callable[[Sequence[Struct], Sequence[str]], Awaitable[None]]
"""Writes records, with the ticks' origins, in one transaction."""


async def store(write: Write, records: Sequence[Struct], origins: Sequence[str], first: int = 0) -> dict[int, str]:
    """Write the records; return why the database has refused which of them, by their place.

    Raises StorageError where the database is away, and what is the machine's fault: neither is a record's.
    """
    try:
        await write(records, origins)
    except StorageError as error:
        if not isinstance(error, RefusedError):
            raise
        reason = str(error)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - what a record does to the layout of its row
        reason = told(error)
    else:
        return {}
    if len(records) == 1:
        return {first: reason}
    middle = len(records) // 2
    refused = await store(write, records[:middle], origins[:middle], first)
    return refused | await store(write, records[middle:], origins[middle:], first + middle)

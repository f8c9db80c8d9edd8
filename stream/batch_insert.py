"""Stores records, isolating those that the database refuses, so that all others are stored."""

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from broker.dead_letters import error_text
from storage.errors import RefusedError, StorageError

Write = Callable[[Sequence[Struct], Sequence[str]], Awaitable[None]]
"""Writes records, with the ticks' origins, in one transaction."""


async def store(write: Write, records: Sequence[Struct], origins: Sequence[str], first: int = 0) -> dict[int, str]:
    """Write the records; return the database's reasons for those that it refused, by their index.

    Raises StorageError if the database is away, and OSError for faults of the machine: neither is caused by a record.
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
        reason = error_text(error)
    else:
        return {}
    if len(records) == 1:
        return {first: reason}
    middle = len(records) // 2
    refused = await store(write, records[:middle], origins[:middle], first)
    return refused | await store(write, records[middle:], origins[middle:], first + middle)

"""Has the tables keep what the settings say, again and again: a task of persist, which is always there."""

import asyncio
import logging

from settings import Settings
from storage.errors import StorageError
from storage.retention import apply

log = logging.getLogger("foretick")

EVERY_S, AGAIN_S = 6 * 3_600.0, 600.0
"""How long to wait until the next time, and after a failure."""


async def keep_tables(settings: Settings) -> None:
    """For ever drop what the tables keep no longer; in a thread, since it may wait for others' queries."""
    url = settings.database_url.get_secret_value()
    while True:
        try:
            for gone in await asyncio.to_thread(apply, url, settings.table_days):
                log.info("dropped as FORETICK_TABLE_DAYS says: %s", gone)
            pause = EVERY_S
        except StorageError as error:
            log.warning("%s; again in %.0f minutes", error, AGAIN_S / 60)
            pause = AGAIN_S
        await asyncio.sleep(pause)

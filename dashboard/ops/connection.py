"""A connection for one action."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import Connection

from dashboard.actions.action import ActionError
from settings import Settings
from storage.errors import place, reason


@contextmanager
def connected(settings: Settings) -> Iterator[Connection]:
    """Yield a connection. Raises ActionError if the database does not answer."""
    url = settings.database_url.get_secret_value()
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise ActionError(f"no answer from {place(url)} ({reason(error)})") from None

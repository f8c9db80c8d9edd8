"""Opens the database for commands; an error is one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.errors import UserError
from settings import Settings

if TYPE_CHECKING:
    from psycopg import Connection


@contextmanager
def opened(what: str) -> Iterator["Connection"]:
    """Open the database; `what` names the required tables. Raises UserError if it does not answer or has no such table
    yet."""
    import psycopg

    from storage.errors import place, reason

    url = Settings().database_url.get_secret_value()
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            yield connection
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        raise UserError(f"{place(url)} has no table of {what} yet: ./foretick up creates it") from None
    except psycopg.Error as error:
        raise UserError(f"{place(url)} cannot be used: {reason(error)}; is it running? ./foretick status") from None

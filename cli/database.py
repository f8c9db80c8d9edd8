"""The database as commands open it: what it does not give is one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.errors import UserError
from settings import Settings

if TYPE_CHECKING:
    from psycopg import Connection


@contextmanager
def opened(what: str) -> Iterator["Connection"]:
    """Open the database; `what` is to be in it. Raises UserError where it does not answer or has no such table yet."""
    import psycopg  # noqa: PLC0415 - time that no other command is to pay

    from storage.errors import place, reason  # noqa: PLC0415 - likewise

    url = Settings().database_url.get_secret_value()
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            yield connection
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        raise UserError(f"{place(url)} has no table of {what} yet: ./foretick up makes it") from None
    except psycopg.Error as error:
        raise UserError(f"{place(url)} cannot be used: {reason(error)}; is it running? ./foretick status") from None

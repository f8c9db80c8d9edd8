"""What the commands of alerts share: the database, and how they answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cli.errors import UserError
from cli.text import echo
from settings import Settings

if TYPE_CHECKING:
    from psycopg import Connection

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def database() -> Iterator["Connection"]:
    """Open the database; a mistake in a rule, or a database that does not answer, is one line."""
    import psycopg  # noqa: PLC0415 - clients and models that no other command is to pay for

    from storage.errors import place, reason  # noqa: PLC0415 - likewise

    url = Settings().database_url.get_secret_value()
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            yield connection
    except ValueError as error:
        raise UserError(str(error)) from None
    except psycopg.errors.UndefinedTable:
        raise UserError(f"{place(url)} has no tables for alerts yet: ./foretick up makes them") from None
    except psycopg.Error as error:
        raise UserError(f"{place(url)} cannot be used: {reason(error)}; is it running? ./foretick status") from None


def say(as_json: bool, document: Any, *lines: str) -> None:
    """Print lines, or the document as JSON."""
    for line in (msgspec.json.encode(document).decode(),) if as_json else lines:
        echo(line)

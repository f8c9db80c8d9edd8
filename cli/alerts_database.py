"""Shared by the commands of alerts: the database, and output."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cli.database import opened
from cli.errors import UserError
from cli.text import echo

if TYPE_CHECKING:
    from psycopg import Connection

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def database() -> Iterator["Connection"]:
    """Open the database; a mistake in a rule is one line."""
    try:
        with opened("alerts") as connection:
            yield connection
    except ValueError as error:
        raise UserError(str(error)) from None


def say(as_json: bool, document: Any, *lines: str) -> None:
    """Print lines, or the document as JSON."""
    for line in (msgspec.json.encode(document).decode(),) if as_json else lines:
        echo(line)

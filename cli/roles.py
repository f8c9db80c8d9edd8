"""`foretick database roles`: who may read and write the database, for a stack whose components share no address."""

import os
import secrets
from pathlib import Path
from re import fullmatch
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer

from cli.errors import UserError
from cli.text import echo
from settings import Settings

app = typer.Typer(no_args_is_help=True, help="The database's roles.")
PREFIX = "[a-z][a-z0-9_]{0,40}"


@app.callback()
def database() -> None:
    """The database's roles."""


@app.command()
def roles(
    folder: Annotated[Path, typer.Argument(help="Where each role's address is written, readable by you only.")],
    prefix: Annotated[
        str, typer.Option(help="What their names begin with: PREFIX_reader, PREFIX_writer, PREFIX_dashboard.")
    ] = "foretick",
) -> None:
    """Create or update the database's roles reader, writer and dashboard.

    FORETICK_DATABASE_URL is that of the owner, who may create roles. Each role's address, with a random password, is a
    file for FORETICK_DATABASE_URL_FILE; the password in a file that is there is kept. Repeat it after an upgrade.
    """
    if not fullmatch(PREFIX, prefix):
        raise UserError(f"{prefix!r} cannot begin the names of roles: a-z, 0-9 and _, such as foretick")
    from learning.tuning.study import make_tables
    from stack.secret import write_private
    from storage.errors import StorageError
    from storage.roles import Role, address, update
    from storage.timescale import migrate

    url = Settings().database_url.get_secret_value()
    files = {role: folder / f"{role}.url" for role in Role}
    names = {role: f"{prefix}_{role}" for role in Role}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    passwords = {role: _kept(path) or secrets.token_hex(24) for role, path in files.items()}
    try:
        migrate(url)
        make_tables(url)
        update(url, names, passwords)
    except StorageError as error:
        raise UserError(str(error)) from None
    for role, path in files.items():
        write_private(path, f"{address(url, names[role], passwords[role])}\n")
        echo(f"{names[role]}: {os.fspath(path)}")


def _kept(path: Path) -> str:
    """Return the password in a file of before, "" if there is none."""
    return unquote(urlsplit(path.read_text(encoding="utf-8").strip()).password or "") if path.exists() else ""

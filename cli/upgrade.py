"""`foretick upgrade --check`: whether this version can go on with what another one left."""

from typing import Annotated

import typer

from cli.errors import UserError
from cli.stack import Json, finish
from cli.tables import Wide
from settings import Settings


def upgrade(
    check: Annotated[bool, typer.Option("--check", help="Only check; nothing is changed.")] = False,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """Check whether this version can go on with the packages, tables and models that are here.

    Exit code 1: it cannot. An upgrade itself is made by what installed Foretick, and by the next `up`.
    """
    from stack.upgrade import examine

    if not check:
        raise UserError("`up` makes the upgrade, once the version is there; `upgrade --check` checks what is here")
    finish(examine(Settings()), wide, as_json)

"""`foretick backup` and `foretick restore`: everything that cannot be made again, in one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import UserError
from cli.stack import machine
from cli.text import echo
from settings import Settings

if TYPE_CHECKING:
    from stack.backup.manifest import Manifest

Secrets = Annotated[
    Path | None,
    typer.Option("--secrets", help="The file with the secrets; without it they are left out.", dir_okay=False),
]


def backup(
    target: Annotated[Path, typer.Argument(metavar="FOLDER|FILE", help="A new file, or a folder for one.")],
    secrets: Secrets = None,
) -> None:
    """Back up the database, models, MLflow's files and alert rules into one file; the stack may run meanwhile."""
    from stack.backup.make import back_up
    from stack.backup.manifest import BackupError
    from stack.errors import MachineError

    try:
        path, manifest = back_up(Settings(), target, secrets)
    except BackupError as error:
        raise UserError(str(error)) from None
    except MachineError as error:
        machine(error)
    echo(f"{path}: {_contents(manifest)}, {path.stat().st_size / 1e6:,.1f} MB")
    if secrets is None:
        echo("without secrets: subscribers' addresses, API tokens and passwords; --secrets FILE writes them apart")
    else:
        echo(f"{secrets}: the secrets; keep it where nobody else can read it")


def restore(
    source: Annotated[Path, typer.Argument(metavar="FOLDER|FILE", help="A backup, or a folder with them: its newest.")],
    secrets: Secrets = None,
    check: Annotated[bool, typer.Option("--check", help="Only read it, and compare each part with its hash.")] = False,
) -> None:
    """Restore a backup into an empty home and database, for `foretick up` to go on with."""
    from stack.backup.manifest import BackupError
    from stack.backup.restore import checked
    from stack.backup.restore import restore as restoring
    from stack.errors import MachineError

    settings = Settings()
    try:
        path, manifest = checked(source) if check else restoring(settings, source, secrets)
    except BackupError as error:
        raise UserError(str(error)) from None
    except MachineError as error:
        machine(error)
    made = f"made by foretick {manifest.foretick} at {manifest.made_at}"
    if check:
        echo(f"{path} is whole: {_contents(manifest)}, {made}")
    else:
        echo(f"restored {path} into {settings.home.resolve()}: {_contents(manifest)}, {made}; next: foretick up")


def _contents(manifest: "Manifest") -> str:
    files = sum(name.startswith("files/") for name in manifest.members)
    return f"{manifest.rows:,} rows of {len(manifest.tables)} tables, {files:,} files"

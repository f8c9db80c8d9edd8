"""Makes a backup: the database as it is at one moment, then the files of the home."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg
from psycopg import Connection, IsolationLevel

from settings import Settings
from settings.version import package_version
from stack.backup import tables
from stack.backup.archive import ArchiveWriter
from stack.backup.database import cluster, running
from stack.backup.files import secrets_of, to_back_up
from stack.backup.manifest import BackupError, Manifest, Table
from storage.errors import place, reason

BLOCK = 1 << 20
VERSIONS = """
SELECT current_setting('server_version'), (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb')
"""
MIGRATIONS = "SELECT name FROM schema_migrations ORDER BY name"


def name_at(made_at: datetime) -> str:
    """Return the name of a backup in a folder; later ones sort after it."""
    return f"foretick-{made_at:%Y%m%dT%H%M%SZ}.zip"


def back_up(settings: Settings, target: Path, secrets: Path | None) -> tuple[Path, Manifest]:
    """Write a backup into a file, or into a folder that exists; the secrets into a file of their own, or nowhere.

    Returns its path and what is in it. Raises BackupError, and MachineError if our database cannot be started.
    """
    made_at, home = datetime.now(UTC), settings.home.resolve()
    path = target / name_at(made_at) if target.is_dir() else target
    if not path.parent.is_dir():
        raise BackupError(f"{path.parent} is no folder: create it, or name another")
    if not (home / "models").is_dir():
        raise BackupError(f"there is nothing to back up in {home}: the stack was never started there")
    with ArchiveWriter(path) as archive, running(home) as url:
        where = place(url)
        try:
            with psycopg.connect(url, connect_timeout=5) as connection:
                manifest = _database(connection, archive, made_at, cluster(settings))
        except psycopg.errors.UndefinedTable:
            raise BackupError(f"{where} has no tables yet: ./foretick up creates them") from None
        except psycopg.Error as error:
            raise BackupError(f"{where} cannot be backed up: {reason(error)}") from None
        for name, file in to_back_up(home):
            _file(archive, name, file)
        if secrets is not None:
            _write_secrets(home, secrets, manifest)
        archive.finish(manifest)
    return path, manifest


def _database(connection: Connection, archive: ArchiveWriter, made_at: datetime, kafka: str | None) -> Manifest:
    """Write every table as it is at one moment."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    columns = tables.tables(connection)
    connection.rollback()  # the moment is that of the first question after the locks
    tables.lock(connection, columns)
    versions = connection.execute(VERSIONS).fetchone() or ("", "")
    migrations = [name for (name,) in connection.execute(MIGRATIONS)]
    stored = {}
    for name, names in columns.items():
        member = f"database/{name}"
        with archive.member(member) as file:
            count = tables.copied(connection, name, names, file.write)
        stored[name] = Table(columns=names, rows=count, member=member)
    return Manifest(
        foretick=package_version(),
        made_at=made_at.isoformat(timespec="seconds"),
        kafka=kafka,
        postgres=versions[0],
        timescaledb=versions[1] or "",
        migrations=migrations,
        revisions=tables.revisions(connection),
        tables=stored,
        sequences=tables.sequences(connection),
        members=archive.members,
    )


def _file(archive: ArchiveWriter, name: str, path: Path) -> None:
    """Copy a file; one that went meanwhile, as a version that was replaced, is left out."""
    with suppress(FileNotFoundError), path.open("rb") as file, archive.member(name) as copy:
        while block := file.read(BLOCK):
            copy.write(block)


def _write_secrets(home: Path, path: Path, manifest: Manifest) -> None:
    with ArchiveWriter(path) as archive:
        for name, file in secrets_of(home):
            _file(archive, name, file)
        archive.finish(msgspec.structs.replace(manifest, tables={}, sequences={}, members=archive.members))

"""Restores a backup into an empty home and an empty database: all of it, or nothing that is kept."""

import os
import subprocess
from collections.abc import Collection
from pathlib import Path

import psycopg
from psycopg import Connection, sql

from settings import Settings, places
from settings.home import private
from stack.backup import tables
from stack.backup.archive import ArchiveReader
from stack.backup.database import cluster, running
from stack.backup.files import PREFIX, is_ours, taken
from stack.backup.manifest import BackupError, Manifest
from stack.mlflow_server import database as mlflow_database
from stack.servers import is_external
from stack.system import ensure
from storage.errors import place, reason
from storage.timescale import MIGRATIONS, migrate

NEW_KAFKA = """
DELETE FROM alert_offsets;
UPDATE dead_letters SET "offset" = -1 - "offset" WHERE "offset" >= 0;
ALTER TABLE dead_letter_resends DISABLE TRIGGER append_only;
UPDATE dead_letter_resends SET "offset" = -1 - "offset" WHERE "offset" >= 0;
ALTER TABLE dead_letter_resends ENABLE TRIGGER append_only;
"""
"""With a new Kafka offsets begin at 0: positions in the old one say nothing any more, and a dead letter would take the
place of an old one of the same offset."""


def find(source: Path) -> Path:
    """Return the file of a backup, or the newest one in a folder. Raises BackupError if there is none."""
    if not source.exists():
        raise BackupError(f"{source}: there is no such file or folder")
    if not source.is_dir():
        return source
    backups = sorted(source.glob("foretick-*.zip"))
    if not backups:
        raise BackupError(f"{source} has no backup: they are called foretick-….zip")
    return backups[-1]


def checked(source: Path) -> tuple[Path, Manifest]:
    """Return a backup's path and what is in it, once every part of it was read. Raises BackupError if it is damaged."""
    path = find(source)
    with ArchiveReader(path) as archive:
        archive.check()
        return path, archive.manifest


def restore(settings: Settings, source: Path, secrets: Path | None) -> tuple[Path, Manifest]:
    """Restore a backup, and the secrets if their file is named; returns its path and what was in it.

    Raises BackupError before anything is written if the home or the database is not empty, or the backup does not fit
    or is damaged; later, if the database refuses it. Raises MachineError if our database cannot be started.
    """
    path, home = find(source), settings.home.resolve()
    if name := taken(home):
        raise BackupError(f"{home} is not empty (it has {name}): set FORETICK_HOME to an empty folder")
    with ArchiveReader(path) as archive:
        manifest = archive.manifest
        _fits(path, manifest)
        archive.check()
        if secrets is not None:
            checked(secrets)
        if not is_external("postgres"):
            ensure(postgres=True, redis=False)
        private(home)
        with running(home) as url:
            if there := _first_table(url):
                raise BackupError(f"{place(url)} is not empty (it has {there}): restore into an empty database")
            same_kafka = is_external("kafka") and manifest.kafka is not None and cluster(settings) == manifest.kafka
            try:
                _restore(url, archive, home, same_kafka)
            except BackupError as error:
                raise BackupError(f"{error}; before you try again, empty {home} and the database") from None
        if secrets is not None:
            with ArchiveReader(secrets) as apart:
                _files(apart, home)
    return path, manifest


def _first_table(url: str) -> str | None:
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            return next(iter(tables.tables(connection)), None)
    except psycopg.Error as error:
        raise BackupError(f"{place(url)} cannot be used: {reason(error)}") from None


def _fits(path: Path, manifest: Manifest) -> None:
    ours = {file.stem for file in MIGRATIONS.glob("[0-9]*.sql")}
    if unknown := sorted(set(manifest.migrations) - ours):
        raise BackupError(
            f"{path} was made by foretick {manifest.foretick}, whose tables this version does not know "
            f"({unknown[-1]}): restore it with that version"
        )
    for name in manifest.members:
        if not name.startswith("database/") and not is_ours(name):
            raise BackupError(f"{path} is no backup of a home: it has {name}")


def _restore(url: str, archive: ArchiveReader, home: Path, same_kafka: bool) -> None:
    manifest, where = archive.manifest, place(url)
    try:
        migrate(url, manifest.migrations)
        _library_tables(url, manifest.revisions)
        with psycopg.connect(url) as connection:
            _matches(tables.revisions(connection), manifest)
            _fill(connection, archive)
            if not same_kafka:
                connection.execute(NEW_KAFKA)
            _files(archive, home)
        migrate(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ANALYZE")
    except psycopg.Error as error:
        raise BackupError(f"{where} did not take the backup: {reason(error)}") from None


def _library_tables(url: str, schemas: Collection[str]) -> None:
    """Have MLflow and Optuna make their tables."""
    if "mlflow" in schemas:
        where, password = mlflow_database(url)
        command = places.module("mlflow", "db", "upgrade", where)
        environment = places.environment() | {"PGPASSWORD": password}
        done = subprocess.run(  # noqa: S603 - our own command
            command, cwd=places.FOLDER, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BackupError(f"MLflow's tables cannot be made: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    if "optuna" in schemas:
        from learning.tuning.study import make_tables  # noqa: PLC0415 - Optuna takes a second

        make_tables(url)


def _matches(revisions: dict[str, str], manifest: Manifest) -> None:
    for schema, revision in manifest.revisions.items():
        if revisions.get(schema) != revision:
            raise BackupError(
                f"{schema}'s tables are of revision {revision} in the backup and {revisions.get(schema)} here: restore "
                f"it with the packages of foretick {manifest.foretick}, then upgrade"
            )


def _fill(connection: Connection, archive: ArchiveReader) -> None:
    """Write every row, and have the sequences go on after them."""
    manifest, here = archive.manifest, tables.tables(connection)
    if missing := sorted(manifest.tables.keys() - here.keys()):
        raise BackupError(f"the backup has rows of {missing[0]}, and there is no such table")
    for name in reversed(here):  # what migrations and libraries have put there is in the backup too
        if tables.count(connection, name):
            connection.execute(sql.SQL("DELETE FROM {}").format(tables.identifier(name)))
    for name in here:
        if name in manifest.tables:
            table = manifest.tables[name]
            count = tables.fill(connection, name, table.columns, archive.blocks(table.member))
            if count != table.rows:
                raise BackupError(f"{name} took {count:,} rows of the {table.rows:,} in the backup")
    for name, last in manifest.sequences.items():
        connection.execute("SELECT setval(%s::regclass, %s)", (tables.quoted(name), last))


def _files(archive: ArchiveReader, home: Path) -> None:
    for name in archive.manifest.members:
        if name.startswith(PREFIX):
            path = home / name.removeprefix(PREFIX)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for block in archive.blocks(name):
                    file.write(block)

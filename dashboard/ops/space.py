"""Reads what the tables and folders take of the disk, and how long records are kept."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg import Connection

from dashboard.ops.queries import QUERIES


@dataclass(frozen=True, kw_only=True)
class TableSpace:
    """A table: its bytes with indexes, its chunks and the start of the oldest one (None: it has none), and how many
    days its rows are kept (None: for ever). `applied_at` is when that was done last, None if never; all rows before
    `dropped_before` were dropped."""

    name: str
    size: int
    chunks: int | None
    since: datetime | None
    kept_days: float | None
    applied_at: datetime | None
    dropped_before: datetime | None


@dataclass(frozen=True, kw_only=True)
class Disk:
    """The file system of the data folder in bytes, and how much of it each folder in there takes."""

    place: str
    total: int
    free: int
    folders: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Space:
    """What the database takes, in bytes, and its tables."""

    database: int
    tables: tuple[TableSpace, ...]


def read_space(connection: Connection) -> Space:
    """Read the database's part."""
    row = connection.execute(QUERIES["database"]).fetchone() or (0,)
    tables = tuple(
        TableSpace(
            name=name,
            size=size or 0,
            chunks=chunks,
            since=since,
            kept_days=kept,
            applied_at=applied,
            dropped_before=dropped,
        )
        for name, size, chunks, since, kept, applied, dropped in connection.execute(QUERIES["tables"])
    )
    return Space(database=row[0], tables=tables)


def read_disk(home: Path) -> Disk:
    """Read the folders' part. Raises OSError if there is no such folder."""
    usage = shutil.disk_usage(home)
    sizes = [(folder.name, sum(_files(folder))) for folder in home.iterdir() if folder.is_dir()]
    folders = tuple(sorted(sizes, key=lambda one: -one[1]))
    return Disk(place=str(home.resolve()), total=usage.total, free=usage.free, folders=folders)


def _files(folder: Path) -> Iterator[int]:
    """Yield the bytes on disk of each file below a folder; what disappears meanwhile, or is not ours, is left out."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            else:
                yield entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue

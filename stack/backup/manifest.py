"""What a backup contains: its last member, by which every other is checked."""

from msgspec import Struct

FORMAT = 1
FILE = "manifest.json"
MOST_BYTES = 64 * 2**20
"""The largest manifest that is read."""


class BackupError(Exception):
    """A backup cannot be made or restored: one line with the reason and what to do."""


class Member(Struct, frozen=True):
    """A file in the backup: its hash and size as it is outside of it."""

    sha256: str
    size: int


class Table(Struct, frozen=True, kw_only=True):
    """A table: its columns in the order of its rows, how many rows, and the member that has them in PostgreSQL's binary
    format of COPY."""

    columns: list[str]
    rows: int
    member: str


class Manifest(Struct, frozen=True, kw_only=True):
    """The versions that made a backup, and all that is in it.

    `migrations` are those of our schema; `revisions` names that of each library's tables, by its schema. `sequences`
    has the last value of each sequence that gave one. `kafka` is the id of the cluster in which positions and dead
    letters' offsets are, None if it did not answer.
    """

    format: int = FORMAT
    foretick: str
    made_at: str
    kafka: str | None
    postgres: str
    timescaledb: str
    migrations: list[str]
    revisions: dict[str, str]
    tables: dict[str, Table]
    sequences: dict[str, int]
    members: dict[str, Member]

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(table.rows for table in self.tables.values())

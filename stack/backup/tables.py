"""The tables of the database as streams of rows: ours, MLflow's and Optuna's, without TimescaleDB's own.

Rows and not a dump of PostgreSQL's: a hypertable's rows then fit any version and edition of TimescaleDB, no superuser
is needed, and no program of the server's version.
"""

from collections.abc import Callable, Iterable
from graphlib import CycleError, TopologicalSorter

from psycopg import Connection, sql

SCHEMAS = ("public", "mlflow", "optuna")
LEFT_OUT = frozenset(
    {
        "public.schema_migrations",  # made by the migrations
        "public.alert_worker",  # the settings of a process
        *("mlflow.alembic_version", "optuna.alembic_version", "optuna.version_info"),  # made with the libraries' tables
    }
)
TABLES = """
SELECT n.nspname || '.' || c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY (%s)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
GROUP BY 1 ORDER BY 1
"""
NEEDS = """
SELECT n.nspname || '.' || c.relname, m.nspname || '.' || d.relname
FROM pg_constraint f
JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class d ON d.oid = f.confrelid JOIN pg_namespace m ON m.oid = d.relnamespace
WHERE f.contype = 'f' AND n.nspname = ANY (%s) AND c.oid <> d.oid
"""
SEQUENCES = "SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences WHERE schemaname = ANY (%s)"
BLOCK = 1 << 20
REVISIONS = {"mlflow": "mlflow.alembic_version", "optuna": "optuna.alembic_version"}


def tables(connection: Connection) -> dict[str, list[str]]:
    """Return the columns of each table that is backed up, each table after those that its rows refer to."""
    columns = {name: names for name, names in connection.execute(TABLES, [list(SCHEMAS)]) if name not in LEFT_OUT}
    order: TopologicalSorter[str] = TopologicalSorter({name: set() for name in columns})
    for name, needed in connection.execute(NEEDS, [list(SCHEMAS)]).fetchall():
        if name in columns and needed in columns:
            order.add(name, needed)
    try:
        return {name: columns[name] for name in order.static_order()}
    except CycleError as error:
        raise AssertionError(f"tables that refer to each other: {error}") from error


def lock(connection: Connection, names: Iterable[str]) -> None:
    """Keep tables, with their chunks, from being dropped until the transaction ends."""
    for name in names:
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(identifier(name)))


def copied(connection: Connection, name: str, columns: list[str], write: Callable[[bytes], object]) -> int:
    """Give `write` a table's rows in PostgreSQL's binary format of COPY, and return how many there were."""
    statement = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT binary)")
    with connection.cursor() as cursor:
        with cursor.copy(statement.format(_names(columns), identifier(name))) as copy:
            parts, size = [], 0
            while row := copy.read():  # one row each
                parts.append(row)
                size += len(row)
                if size >= BLOCK:
                    write(b"".join(parts))
                    parts, size = [], 0
            write(b"".join(parts))
        return cursor.rowcount


def count(connection: Connection, name: str) -> int:
    """Return how many rows a table has."""
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(identifier(name))).fetchone()
    return 0 if row is None else int(row[0])


def fill(connection: Connection, name: str, columns: list[str], blocks: Iterable[bytes]) -> int:
    """Write rows into a table, and return how many."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(identifier(name), _names(columns))
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for block in blocks:
                copy.write(block)
        return cursor.rowcount


def sequences(connection: Connection) -> dict[str, int]:
    """Return the last value of each sequence that gave one."""
    return {name: last for name, last in connection.execute(SEQUENCES, [list(SCHEMAS)]) if last is not None}


def revisions(connection: Connection) -> dict[str, str]:
    """Return the revision of each library's tables, by its schema; one without tables is left out."""
    found = {}
    for schema, table in REVISIONS.items():
        row = connection.execute("SELECT to_regclass(%s)::text", (table,)).fetchone()
        if row is not None and row[0] is not None:
            version = connection.execute(sql.SQL("SELECT version_num FROM {}").format(identifier(table))).fetchone()
            if version is not None:
                found[schema] = str(version[0])
    return found


def identifier(name: str) -> sql.Identifier:
    """Return the identifier of ``schema.table``."""
    return sql.Identifier(*name.split(".", 1))


def quoted(name: str) -> str:
    """Return it as text that PostgreSQL reads as such a name."""
    return identifier(name).as_string()


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))

"""The database's roles for those who do not own it: reader, writer and dashboard, each with the rights that it uses.

Tables of later migrations: a reader gets them by the owner's default privileges; for what is written the roles are to
be updated after each upgrade.
"""

from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg
from psycopg import Connection, sql

from storage import locks
from storage.errors import StorageError, place, reason
from storage.locks import Lock
from storage.timescale import CONNECT

OPTUNA = "optuna"


class Role(StrEnum):
    """Whose rights: of the API; of persist, watch, the trainer, the alerts and the commands; of the dashboard."""

    READER = "reader"
    WRITER = "writer"
    DASHBOARD = "dashboard"


ADD, ADD_OR_CHANGE, ANY = "INSERT", "INSERT, UPDATE", "INSERT, UPDATE, DELETE"
WRITER: Mapping[str, str] = {
    **dict.fromkeys(("ticks", "bars", "features", "regimes", "prediction_rows", "outcome_rows"), ADD_OR_CHANGE),
    **dict.fromkeys(("alerts", "drift", "gaps", "model_events", "model_skill", "table_retention"), ADD_OR_CHANGE),
    **dict.fromkeys(("series", "contexts", "feature_definitions"), ADD),
    **dict.fromkeys(("score_sums", "stale_score_hours", "dead_letters"), ANY),
    "score_archive": "INSERT, DELETE",
    **dict.fromkeys(("pipeline_runs", "pipeline_steps"), ADD_OR_CHANGE),
    **dict.fromkeys(("model_deployments", "dead_letter_resends", "alert_acknowledgements"), ADD),
    **dict.fromkeys(("alert_rules", "alert_offsets", "alert_worker"), ADD_OR_CHANGE),
    **dict.fromkeys(("alert_states", "alert_outbox", "alert_deliveries", "alert_subscribers"), ANY),
    "alert_mutes": "INSERT, DELETE",
}
"""The rights on each table that is written; of sums and what expires, rows are deleted too."""
DASHBOARD: Mapping[str, str] = {
    "dashboard_actions": ADD,
    "alert_acknowledgements": ADD,
    "alert_mutes": "INSERT, DELETE",
    "alert_deliveries": "UPDATE (state, ended_at)",
    "dead_letter_resends": ADD,
    "dead_letters": "UPDATE (state, decided_at)",
    "model_deployments": ADD,
    "pipeline_runs": "UPDATE (stop_reason, stop_requested_by, stop_requested_at)",
}
"""The rights for the dashboard's actions."""
TAKEN_BACK = (
    "REVOKE ALL ON ALL TABLES IN SCHEMA public, optuna, mlflow FROM {reader}, {writer}, {dashboard}",
    "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public, optuna, mlflow FROM {reader}, {writer}, {dashboard}",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",  # PostgreSQL before 15 let everybody create there
)
GIVEN = (
    "GRANT CONNECT ON DATABASE {database} TO {reader}",
    "GRANT USAGE ON SCHEMA public, optuna TO {reader}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA public, optuna TO {reader}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public, optuna GRANT SELECT ON TABLES TO {reader}",
    "GRANT {reader} TO {writer}, {dashboard}",
    "GRANT TEMPORARY ON DATABASE {database} TO {writer}",  # rows that are there already are merged through one
    "GRANT EXECUTE ON FUNCTION drop_old_chunks TO {writer}",
    "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA optuna TO {writer}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA optuna TO {writer}",
)
MORE = (
    "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = %s"
)


def update(url: str, names: Mapping[Role, str], passwords: Mapping[Role, str]) -> None:
    """Create the roles, or set the password and the rights of those that are there, in one transaction.

    `url` is the owner's, who may create roles; the schema is migrated, and Optuna has its tables. Raises StorageError.
    """
    where = place(url)
    try:
        with psycopg.connect(url, **CONNECT) as connection:
            locks.wait_in_transaction(connection, Lock.MIGRATION)
            for role, name in names.items():
                _let_in(connection, name, passwords[role])
            _grant(connection, names)
    except psycopg.errors.InsufficientPrivilege as error:
        needed = "it needs the address of the tables' owner, who has CREATEROLE or is a superuser"
        raise StorageError(f"the roles at {where} could not be made: {reason(error)}: {needed}") from None
    except psycopg.Error as error:
        raise StorageError(f"the roles at {where} could not be made: {reason(error)}") from None


def address(url: str, name: str, password: str) -> str:
    """Return the owner's URL with another user and password.

    >>> address("postgresql://foretick:secret@db:5432/foretick?sslmode=require", "foretick_reader", "a/b")
    'postgresql://foretick_reader:a%2Fb@db:5432/foretick?sslmode=require'
    """
    parts = urlsplit(url)
    options = [one for one in parse_qsl(parts.query, keep_blank_values=True) if one[0] not in ("user", "password")]
    netloc = f"{quote(name, safe='')}:{quote(password, safe='')}@{parts.netloc.rpartition('@')[2]}"
    return parts._replace(netloc=netloc, query=urlencode(options, quote_via=quote, safe="/")).geturl()


def _let_in(connection: Connection, name: str, password: str) -> None:
    """Create a role, or set its password: as its verifier, so that the server's log cannot show it."""
    there = connection.execute(MORE, (name,)).fetchone()
    if there is not None and there[0]:
        raise StorageError(f"the role {name} may do more than use tables: choose names by --prefix that are free")
    verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}" if there is None else "ALTER ROLE {} LOGIN PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(name), sql.Literal(verifier)))


def _grant(connection: Connection, names: Mapping[Role, str]) -> None:
    identifiers = {str(role): sql.Identifier(name) for role, name in names.items()}
    database = sql.Identifier(connection.info.dbname)
    for text in (*TAKEN_BACK, *GIVEN):
        connection.execute(sql.SQL(text).format(database=database, **identifiers))
    for role, rights in ((Role.WRITER, WRITER), (Role.DASHBOARD, DASHBOARD)):
        for table, verbs in rights.items():
            statement = sql.SQL(f"GRANT {verbs} ON {{}} TO {{}}")
            connection.execute(statement.format(sql.Identifier(table), sql.Identifier(names[role])))

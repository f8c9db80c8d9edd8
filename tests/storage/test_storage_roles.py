"""Roles that do not own the database: each can do what its components do, on a real PostgreSQL, and nothing else."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import optuna
import psycopg
import pytest
from psycopg import sql
from storage_rows import stored, write
from test_storage_writer import T0, bar, outcome, some
from tls_servers import started, wait_for

from alerts.rules.rule import Rule, When
from alerts.store import mutes, user_changes
from alerts.subscriber import Mute
from dashboard.actions.audit import Entry
from dashboard.actions.audit import write as write_entry
from learning.deployment.ledger import COLUMNS
from learning.runs.queue import Runs
from learning.runs.records import Options
from learning.tuning.study import Shared
from models.search_space import Real
from settings import ROOT, places
from stack import postgres
from stack.kafka_user import free_ports
from stack.process import command_line
from stack.secret import password
from storage import dead_letters, retention
from storage.errors import StorageError
from storage.roles import DASHBOARD, WRITER, Role, address, update
from storage.schema import schema_state
from storage.timescale import migrate
from topics.catalog import BARS, DEAD_LETTERS, OUTCOMES
from topics.records import DeadLetter

pytestmark = [pytest.mark.services, pytest.mark.slow]

OWNER_S = {"schema_migrations"}
"""What only the owner writes."""
WRITTEN = re.compile(r"\b(INSERT) INTO (\w+)|\b(UPDATE) (\w+) SET|\b(DELETE) FROM (\w+)")
RIGHTS = "SELECT table_name, privilege_type, column_name FROM information_schema.column_privileges WHERE grantee = %s"
ON_TABLES = "SELECT table_name, privilege_type FROM information_schema.table_privileges WHERE grantee = %s"
LETTER = DeadLetter(topic="ticks", partition=0, offset=7, reason="bad", value=b"x", time=T0)
DECISION = sql.SQL(
    "INSERT INTO model_deployments ({}) VALUES (%s, 1, 'serve', 'v', 'f', now(), '{{}}', NULL, 'me', 'why', NULL)"
)


@pytest.fixture(scope="module")
def owner() -> Iterator[str]:
    """The URL of the owner, who may create roles, of a database on a PostgreSQL of its own; others may come in too."""
    with tempfile.TemporaryDirectory(prefix="foretick-roles-") as folder:
        home, (port,) = Path(folder), free_ports(1)
        command, data, user = postgres.launch(home, port), postgres.data_folder(home), postgres.server_user()
        (data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        single = [command[0], "--single", "-D", str(data), "postgres"]
        postgres.must(postgres.as_server_user(single, f"ALTER ROLE {postgres.NAME} CREATEROLE\n"), "rights")
        with started(command_line(command, user, signal.SIGINT), home / "log", signal.SIGINT):
            wait_for(port)
            yield f"postgresql://foretick:{password(home / 'postgres.password')}@127.0.0.1:{port}/foretick"


def typed(url: str, *words: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    clean = {key: value for key, value in os.environ.items() if not key.startswith("FORETICK_")}
    environment = places.environment(clean) | {"FORETICK_DATABASE_URL": url, "FORETICK_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "cli.main", "database", "roles", *words]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def urls(owner: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Role, str]:
    """The roles' URLs, as the command writes them on a database with nothing in it."""
    folder = tmp_path_factory.mktemp("roles")
    done = typed(owner, str(folder / "roles"), folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "".join(f"foretick_{role}: {folder}/roles/{role}.url\n" for role in Role)
    files = {role: folder / "roles" / f"{role}.url" for role in Role}
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    again = typed(owner, str(folder / "roles"), folder=folder)
    assert again.returncode == 0, again.stderr
    return {role: path.read_text().strip() for role, path in files.items()}


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


@pytest.fixture
def letters(owner: str, urls: Mapping[Role, str]) -> None:
    """A dead letter, and an alert that waits to be delivered."""
    write(urls[Role.WRITER], {DEAD_LETTERS: [LETTER]})
    with psycopg.connect(owner) as connection:
        connection.execute("DELETE FROM alert_deliveries; DELETE FROM alert_outbox; DELETE FROM alert_mutes")
        connection.execute("INSERT INTO alert_outbox (alert_id, symbol, alert) VALUES ('a1', 'BTCUSDT', '{}')")
        connection.execute(
            "INSERT INTO alert_deliveries (subscriber, alert_id, number, state) VALUES ('desk', 'a1', 1, 'waiting')"
        )


def refused(url: str, statement: str) -> bool:
    """Return whether a statement is refused for lack of a right; any other error is one."""
    try:
        with psycopg.connect(url) as connection:
            connection.execute(statement.encode())
            connection.rollback()
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


# --- what each may ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_each_reads_every_table_and_view(role: Role, urls: Mapping[Role, str]) -> None:
    with psycopg.connect(urls[role]) as connection:
        names = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('public', 'optuna')"
        ).fetchall()
        assert len(names) > 40
        for schema, name in names:
            connection.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(schema, name)))


def test_the_writer_stores_every_kind_of_record_and_replaces_it(urls: Mapping[Role, str]) -> None:
    url = urls[Role.WRITER]
    write(url, some(), origins=["0-7-0", "0-7-1"])
    write(url, some() | {BARS: [bar(close=1.75)], OUTCOMES: [outcome(pinball=0.9)]}, origins=["0-7-0", "0-7-1"])
    assert {row[6] for row in stored(url, BARS)} == {1.5, 1.75}
    migrate(url)  # as the pipeline does: there is nothing to be done


def test_the_writer_drops_what_is_kept_no_longer(owner: str, urls: Mapping[Role, str]) -> None:
    old, new = T0 - 400 * 86_400_000, T0
    write(urls[Role.WRITER], {BARS: [bar(old, "OLD"), bar(new, "NEW")], OUTCOMES: [outcome(old), outcome(new)]})
    with psycopg.connect(owner) as connection:  # else chunks made today are kept
        assert connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'bars'").fetchone() == (
            "foretick",
        )
    days = dict.fromkeys(retention.HYPERTABLES | retention.PLAIN, 1e-9)
    gone = {one.table for one in retention.apply(urls[Role.WRITER], days)}
    assert {"bars", "outcomes", "score_hours"} <= gone
    assert not [row for row in stored(owner, BARS) if row[0] == "OLD"]


def test_the_writer_runs_the_pipeline_and_a_study(urls: Mapping[Role, str]) -> None:
    runs = Runs(urls[Role.WRITER])
    run_id = runs.request("test", "me", T0)
    assert run_id is not None
    runs.stop(run_id, "enough", "me")
    with runs.begun("test", "me", T0, Options()) as lease:
        assert lease.run.run_id
    study = Shared(urls[Role.WRITER], "s", {"x": Real(0.0, 1.0, 0.5)}, optuna.pruners.NopPruner(), seed=1)
    study.begin([{"x": 0.5}])
    trial = study.claim(1)
    assert trial is not None
    study.fail(trial, "a test")


def test_the_writer_takes_users_changes_of_alerts(urls: Mapping[Role, str]) -> None:
    with psycopg.connect(urls[Role.WRITER], autocommit=True) as connection:
        rule = Rule(name="blind", on="gap", when=When("any"))
        assert user_changes.add_rule(connection, rule) == 1
        assert user_changes.add_rule(connection, rule, replace=True) == 2
        user_changes.remove_rule(connection, "blind")


@pytest.mark.usefixtures("letters")
def test_the_dashboard_does_its_actions(owner: str, urls: Mapping[Role, str]) -> None:
    url = urls[Role.DASHBOARD]
    run_id = Runs(urls[Role.WRITER]).request("test", "me", T0)
    assert run_id is not None
    Runs(url).stop(run_id, "enough", "me")
    with psycopg.connect(url, autocommit=True) as connection:
        assert mutes.mute(connection, Mute(alert_id="a1"), datetime.now(UTC) + timedelta(days=1)) == 1
        assert mutes.unmute(connection, Mute(alert_id="a1")) == 1
        assert user_changes.acknowledge(connection, ["a1"], "seen") == []
        (letter,) = dead_letters.letters(connection, dead_letters.place_of("ticks/0/7"))
        dead_letters.sent_again(connection, [letter], "me", "why", None, None)
        connection.execute(DECISION.format(sql.SQL(COLUMNS)), ("dashboard-model",))
    write_entry(url, Entry(client="me", action="test", outcome="done", result="done"))
    with psycopg.connect(owner) as connection:
        assert connection.execute("SELECT state FROM dead_letters").fetchall() == [("retried",)]
        assert connection.execute("SELECT action FROM dashboard_actions").fetchall() == [("test",)]


# --- and nothing else ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "given"), [(Role.READER, {}), (Role.WRITER, WRITER), (Role.DASHBOARD, DASHBOARD)])
def test_a_role_has_the_rights_of_its_list_alone(
    role: Role, given: Mapping[str, str], owner: str, urls: Mapping[Role, str]
) -> None:
    assert f"//foretick_{role}:" in urls[role]
    wanted = {(table, verb) for table, verbs in given.items() for verb in re.findall(r"INSERT|UPDATE|DELETE", verbs)}
    with psycopg.connect(owner) as connection:
        name = f"foretick_{role}"
        on_columns = connection.execute(RIGHTS, (name,)).fetchall()
        whole = set(connection.execute(ON_TABLES, (name,)).fetchall())
    public = tables(owner)
    found = {(table, verb) for table, verb, _ in on_columns} | whole
    assert {(table, verb) for table, verb in found if table in public and verb != "SELECT"} == wanted
    for table, verbs in given.items():
        if columns := re.findall(r"UPDATE \((.+)\)", verbs):
            assert {column for one, verb, column in on_columns if (one, verb) == (table, "UPDATE")} == set(
                columns[0].split(", ")
            )


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "statement",
    [
        *(
            "DROP TABLE bars",
            "ALTER TABLE bars ADD x int",
            "TRUNCATE bars",
            "CREATE TABLE x (y int)",
            "DROP VIEW scores",
        ),
        *(
            "CREATE INDEX ON bars (close)",
            "CREATE SCHEMA x",
            "CREATE TABLE optuna.x (y int)",
            "DROP TABLE optuna.trials",
        ),
        *("SELECT drop_chunks('bars', now())", "ALTER TABLE model_deployments DISABLE TRIGGER ALL"),
        *("DELETE FROM bars", "DELETE FROM model_deployments", "DELETE FROM dashboard_actions", "CREATE ROLE x"),
        *("INSERT INTO schema_migrations VALUES ('x')", "SET ROLE foretick", "UPDATE dashboard_actions SET who = 'x'"),
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_none_changes_the_schema_or_the_logs(role: Role, statement: str, urls: Mapping[Role, str]) -> None:
    assert refused(urls[role], statement)


@pytest.mark.parametrize("role", [Role.READER, Role.DASHBOARD])
@pytest.mark.parametrize(
    "statement",
    [
        *("INSERT INTO bars DEFAULT VALUES", "UPDATE bars SET close = 1", "UPDATE alert_rules SET removed_at = now()"),
        *("UPDATE dead_letters SET value = ''", "UPDATE pipeline_runs SET state = 'done'", "DELETE FROM dead_letters"),
        "SELECT drop_old_chunks('bars', now(), '-infinity')",
    ],
)
def test_reader_and_dashboard_write_no_data(role: Role, statement: str, urls: Mapping[Role, str]) -> None:
    assert refused(urls[role], statement)


def test_nothing_but_what_expires_is_dropped_by_the_writer(urls: Mapping[Role, str]) -> None:
    with psycopg.connect(urls[Role.WRITER]) as connection, pytest.raises(psycopg.errors.RaiseException):
        connection.execute("SELECT drop_old_chunks('model_deployments', now(), '-infinity')")


def test_a_role_comes_in_by_its_password_alone(urls: Mapping[Role, str]) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(address(urls[Role.READER], "foretick_reader", "guessed"))


# --- made again ------------------------------------------------------------------------------------------------------


def test_a_later_table_can_be_read_at_once_and_other_rights_are_taken_back(
    owner: str, urls: Mapping[Role, str]
) -> None:
    try:
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("CREATE TABLE later (x int)")
            connection.execute("GRANT DELETE ON bars TO foretick_reader")
        assert not refused(urls[Role.READER], "SELECT FROM later")
        assert refused(urls[Role.WRITER], "INSERT INTO later VALUES (1)")
        names = {role: f"foretick_{role}" for role in Role}
        update(owner, names, {role: psycopg.conninfo.conninfo_to_dict(urls[role])["password"] for role in Role})
        assert refused(urls[Role.READER], "DELETE FROM bars")
    finally:
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS later")


def test_every_table_is_somebody_s(owner: str, urls: Mapping[Role, str]) -> None:
    assert urls
    assert tables(owner) == WRITER.keys() | DASHBOARD.keys() | OWNER_S
    assert schema_state(owner).pending == ()


def test_every_statement_of_a_component_has_its_right() -> None:
    """But for those of backups, migrations and Optuna's schema; what is composed of names is tried above."""
    seen = 0
    for package in ("storage", "stream", "learning", "alerts", "dashboard", "api", "cli", "stack"):
        for path in (ROOT / package).rglob("*.py"):
            if path.parts[-2] in ("backup", "reference") or path.name == "roles.py":
                continue
            for match in WRITTEN.finditer(path.read_text()):
                verb, table = (part for part in match.groups() if part)
                if table in OWNER_S or table == "SCHEMA":
                    continue
                seen += 1
                given = DASHBOARD if package == "dashboard" else WRITER
                assert verb in given.get(table, ""), f"{path}: {verb} {table}"
    assert seen > 40


def test_who_may_create_no_roles_is_told_in_a_line(owner: str, urls: Mapping[Role, str], tmp_path: Path) -> None:
    done = typed(urls[Role.WRITER], str(tmp_path / "x"), "--prefix", "other", folder=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "could not be made: permission denied to create role" in done.stderr
    assert "it needs the address of the tables' owner" in done.stderr
    assert list((tmp_path / "x").iterdir()) == []
    assert "cannot begin the names of roles" in typed(owner, "x", "--prefix", "Ä;", folder=tmp_path).stderr


def test_a_powerful_role_s_name_is_not_taken_over(owner: str, urls: Mapping[Role, str]) -> None:
    assert urls
    with pytest.raises(StorageError, match="the role foretick may do more than use tables"):
        update(owner, dict.fromkeys(Role, "foretick"), dict.fromkeys(Role, "x"))

"""What is restored is what was backed up; what does not fit, or is damaged, is refused before anything is written."""

import os
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psycopg
import pytest
from psycopg import sql
from stacks import Servers, drop_database
from table_contents import contents

from alerts.store import secret_file
from api import tokens
from learning.tuning.study import make_tables
from settings import Settings
from stack.backup import make, tables
from stack.backup.files import SECRETS
from stack.backup.make import back_up
from stack.backup.manifest import FILE, BackupError, Manifest
from stack.backup.restore import checked, restore
from storage.timescale import MIGRATIONS, migrate

pytestmark = pytest.mark.services

ROWS = """
INSERT INTO bars (symbol, interval, time, open, high, low, close, gap)
SELECT 'BTCUSDT', '1m', timestamptz '2025-01-01' + n * interval '1 hour', n, n, n, n + random(), 0
FROM generate_series(1, 2000) n;
INSERT INTO features SELECT 'BTCUSDT', '1m', '2025-01-01', 1, 'abc', ARRAY[1.5, 'NaN', random()];
INSERT INTO series (symbol, interval, model, version, horizon) VALUES ('BTCUSDT', '1m', 'gbm', 'v1', 1);
INSERT INTO regimes VALUES ('BTCUSDT', '1m', '2025-01-01', 'calm', '{"calm": 0.75}', NULL);
INSERT INTO alert_rules (name, version, definition) VALUES ('big', 1, '{"on": "gap"}');
INSERT INTO alert_offsets VALUES ('gaps', 0, 1234);
INSERT INTO alert_outbox (alert_id, symbol, alert) VALUES ('a', 'X', '\\x00ff');
INSERT INTO dead_letters (topic, "partition", "offset", "row", reason, value, time)
VALUES ('ticks', 0, 17, 3, 'no JSON', '\\x00', now());
INSERT INTO dead_letter_resends (topic, "partition", "offset", "row", who, reason) VALUES ('ticks', 0, 17, 3, 'me', '');
INSERT INTO model_deployments (model, number, action, challengers, fingerprint, time, decided_by, why)
VALUES ('gbm', 1, 'serve', '{}', 'abc', now(), 'me', '');
INSERT INTO optuna.studies (study_name) VALUES ('a study');
"""
SERIES = "INSERT INTO series (symbol, interval, model, version, horizon)"
MODEL, ARTIFACT = "models/gbm/v1/model.txt", "mlflow-artifacts/1/run/artifacts/plot.svg"


@dataclass(frozen=True)
class Place:
    """A home and its database."""

    settings: Settings
    url: str

    def asked(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture(scope="module")
def new_database(servers: Servers) -> Iterator[Callable[[], str]]:
    """Give what makes a database with nothing in it, and returns its URL."""
    names: list[str] = []
    with psycopg.connect(servers.database_url, autocommit=True) as connection:

        def make() -> str:
            names.append(f"backup_{os.getpid()}_{len(names)}")
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(names[-1])))
            return urlsplit(servers.database_url)._replace(path=f"/{names[-1]}").geturl()

        yield make
        for name in names:
            drop_database(connection, name)


@pytest.fixture
def empty(new_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A home and a database with nothing in them, which are the environment's."""
    url = new_database()
    monkeypatch.setenv("FORETICK_DATABASE_URL", url)
    monkeypatch.delenv("FORETICK_KAFKA", raising=False)
    return Place(Settings(home=tmp_path / "empty"), url)


def fill(place: Place, migrations: Sequence[str] | None = None) -> None:
    """Make the tables, put something into most of them, and files into the home."""
    migrate(place.url, migrations)
    make_tables(place.url)
    with psycopg.connect(place.url, autocommit=True) as connection:
        connection.execute(ROWS)
    home = place.settings.home
    for name in (MODEL, ARTIFACT, "models/serving.json", "pipeline/1/evaluation.json", "replay/progress.json"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f"this is {name}" * 100)
    (home / "models/gbm/link").symlink_to("/etc/passwd")
    for name in SECRETS:
        (home / name).write_text(f"secret {name}")


@pytest.fixture(scope="module")
def filled(servers: Servers, new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A home with something in it."""
    url = new_database()
    made = Place(Settings(home=tmp_path_factory.mktemp("filled") / "home", kafka=servers.kafka), url)
    fill(made)
    return made


@pytest.fixture(scope="module")
def kept(filled: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a backup of it, and its secrets."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORETICK_DATABASE_URL", filled.url)
        back_up(filled.settings, folder / "backup.zip", folder / "secrets.zip")
    return folder


@pytest.fixture
def backup(kept: Path, tmp_path: Path) -> Path:
    """A copy of that backup, with its secrets beside it."""
    shutil.copy(kept / "secrets.zip", tmp_path)
    return Path(shutil.copy(kept / "backup.zip", tmp_path))


def files(home: Path) -> dict[str, bytes]:
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def rewritten(backup: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Return a copy of a backup whose members were changed."""
    with zipfile.ZipFile(backup) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    path = backup.with_name("changed.zip")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def told(manifest: bytes, **fields: Any) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(msgspec.json.decode(manifest, type=Manifest), **fields))


def test_rows_files_and_sequences_are_those_that_were_backed_up(
    empty: Place, filled: Place, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETICK_KAFKA", filled.settings.kafka)  # the topics are where they were
    path, manifest = restore(Settings(home=empty.settings.home), backup, None)
    assert path == backup
    before = contents(filled.url)
    assert contents(empty.url) == before
    assert manifest.rows == sum(count for count, _ in before.values()) > 2_010
    assert before["public.bars"][0] == 2_000
    left_out = {*SECRETS, "models/gbm/link", "replay/progress.json"}  # the last is how far a replay has come in a Kafka
    there = {name: text for name, text in files(filled.settings.home).items() if name not in left_out}
    assert files(empty.settings.home) == there
    assert MODEL in there
    assert empty.asked(f"{SERIES} VALUES ('X', '1m', 'm', 'v', 1) RETURNING series_id") == [(2,)]
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        empty.asked("DELETE FROM model_deployments RETURNING 1")


@pytest.mark.parametrize("kafka", ["", "127.0.0.1:1"])
def test_with_another_kafka_positions_begin_anew_and_old_letters_keep_their_place(
    empty: Place, backup: Path, monkeypatch: pytest.MonkeyPatch, kafka: str
) -> None:
    if kafka:
        monkeypatch.setenv("FORETICK_KAFKA", kafka)
    secrets = backup.with_name("secrets.zip")
    restore(Settings(home=empty.settings.home), backup, secrets)
    assert empty.asked("SELECT 1 FROM alert_offsets") == []
    assert empty.asked('SELECT "offset", "row" FROM dead_letters') == [(-18, 3)]
    assert empty.asked('SELECT "offset", "row" FROM dead_letter_resends') == [(-18, 3)]
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        empty.asked("DELETE FROM dead_letter_resends RETURNING 1")
    home = empty.settings.home
    assert (home / secret_file.FILE).read_text() == f"secret {secret_file.FILE}"
    for path in (home / MODEL, *(home / name for name in SECRETS)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_nobody_else_reads_a_backup_and_secrets_are_in_a_file_of_their_own(kept: Path) -> None:
    for path in kept.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    with zipfile.ZipFile(kept / "backup.zip") as archive, zipfile.ZipFile(kept / "secrets.zip") as apart:
        assert not [name for name in archive.namelist() if name.removeprefix("files/") in SECRETS]
        assert b"secret " not in b"".join(archive.read(name) for name in archive.namelist())
        assert {*apart.namelist()} == {FILE, *(f"files/{name}" for name in SECRETS)}


def test_the_secrets_are_all_that_the_stack_keeps_for_others() -> None:
    assert {secret_file.FILE, tokens.FILE, tokens.LOCAL_FILE, "decisions.key", "dashboard.password"} == {*SECRETS}


def test_a_backup_is_the_database_at_one_moment(filled: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = tables.copied

    def meanwhile(connection: psycopg.Connection, name: str, *others: Any) -> int:
        more = "SELECT symbol, interval, model, version, max(horizon) + 1 FROM series GROUP BY 1, 2, 3, 4 RETURNING 1"
        filled.asked(f"{SERIES} {more}")
        return plain(connection, name, *others)

    monkeypatch.setenv("FORETICK_DATABASE_URL", filled.url)
    monkeypatch.setattr(make.tables, "copied", meanwhile)
    ((before,),) = filled.asked("SELECT count(*) FROM series")
    _, manifest = back_up(filled.settings, tmp_path / "b.zip", None)
    assert manifest.tables["public.series"].rows == before
    filled.asked("DELETE FROM series WHERE horizon > 1 RETURNING 1")


def test_a_backup_of_older_tables_is_restored_and_its_tables_are_brought_up_to_date(
    empty: Place, new_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = sorted(path.stem for path in MIGRATIONS.glob("[0-9]*.sql"))
    old = Place(Settings(home=tmp_path / "old"), new_database())
    fill(old, every[: every.index("0060_retention")])
    assert old.asked("SELECT to_regclass('score_archive')") == [(None,)]
    monkeypatch.setenv("FORETICK_DATABASE_URL", old.url)
    backup, _ = back_up(old.settings, tmp_path / "old.zip", None)
    monkeypatch.setenv("FORETICK_DATABASE_URL", empty.url)
    restore(empty.settings, backup, None)
    assert empty.asked("SELECT name FROM schema_migrations ORDER BY name") == [(name,) for name in every]
    assert empty.asked("SELECT count(*) FROM bars") == [(2_000,)]


def test_a_folder_gets_a_new_file_each_time_and_the_newest_is_restored(
    filled: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETICK_DATABASE_URL", filled.url)
    (tmp_path / "foretick-20200101T000000Z.zip").write_text("an old one")
    path, manifest = back_up(filled.settings, tmp_path, None)
    assert path.parent == tmp_path
    assert checked(tmp_path) == (path, manifest)


def test_what_would_be_overwritten_is_refused_and_what_fails_leaves_nothing(
    filled: Place, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, there = backup.read_bytes(), sorted(tmp_path.iterdir())
    with pytest.raises(BackupError, match="exists already"):
        back_up(filled.settings, backup, None)
    with pytest.raises(BackupError, match="is no folder: create it"):
        back_up(filled.settings, tmp_path / "nowhere" / "b.zip", None)
    monkeypatch.setenv("FORETICK_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/none")
    with pytest.raises(BackupError, match=r"^postgresql://127.0.0.1:1/none cannot be backed up: .* refused"):
        back_up(filled.settings, tmp_path / "b.zip", None)
    with pytest.raises(BackupError, match="the stack was never started there"):
        back_up(Settings(home=tmp_path / "new"), tmp_path / "b.zip", None)
    assert (backup.read_bytes(), sorted(tmp_path.iterdir())) == (before, there)


def unknown(members: dict[str, bytes]) -> None:
    members[FILE] = told(members[FILE], migrations=["0001_tables", "9999_later"], foretick="9.0")


def other_format(members: dict[str, bytes]) -> None:
    members[FILE] = told(members[FILE], format=2)


def other_text(members: dict[str, bytes]) -> None:
    members[f"files/{MODEL}"] = members[f"files/{MODEL}"][:-1] + b"!"


def longer(members: dict[str, bytes]) -> None:
    members["database/public.bars"] += b"x" * 2_000_000


def missing(members: dict[str, bytes]) -> None:
    del members["database/public.bars"]


def stranger(members: dict[str, bytes]) -> None:
    members["files/models/other"] = b"!"


def outside(members: dict[str, bytes]) -> None:
    members["files/models/../../outside"] = members.pop(f"files/{MODEL}")
    manifest = msgspec.json.decode(members[FILE], type=Manifest)
    manifest.members["files/models/../../outside"] = manifest.members.pop(f"files/{MODEL}")
    members[FILE] = msgspec.json.encode(manifest)


def elsewhere(members: dict[str, bytes]) -> None:
    members["files/postgres/PG_VERSION"] = members.pop(f"files/{MODEL}")
    manifest = msgspec.json.decode(members[FILE], type=Manifest)
    manifest.members["files/postgres/PG_VERSION"] = manifest.members.pop(f"files/{MODEL}")
    members[FILE] = msgspec.json.encode(manifest)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (unknown, r"was made by foretick 9.0, whose tables this version does not know \(9999_later\)"),
        (other_format, "is a backup of format 2, and this version reads 1"),
        (other_text, rf"is damaged \(files/{MODEL} is not what was backed up\): restore another backup"),
        (longer, r"is damaged \(database/public.bars is not what was backed up\)"),
        (missing, r"is damaged \(database/public.bars is missing\)"),
        (stranger, r"is damaged \(files/models/other is not in its manifest\)"),
        (outside, r"is damaged \('files/models/../../outside' is no name of a member\)"),
        (elsewhere, "is no backup of a home: it has files/postgres/PG_VERSION"),
        (lambda members: members.pop(FILE), f"is no backup: it has no {FILE}"),
    ],
)
def test_a_backup_that_does_not_fit_or_is_damaged_is_refused_before_anything_is_touched(
    backup: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETICK_DATABASE_URL", "postgresql://127.0.0.1:1/none")
    with pytest.raises(BackupError, match=text):
        restore(Settings(home=tmp_path / "other"), rewritten(backup, change), None)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("cut", [0.2, 0.9999])
def test_a_file_that_was_cut_off_is_refused(backup: Path, tmp_path: Path, cut: float) -> None:
    data = backup.read_bytes()
    backup.write_bytes(data[: int(len(data) * cut)])
    with pytest.raises(BackupError, match=r"backup.zip is damaged \(File is not a zip file\)"):
        restore(Settings(home=tmp_path / "other"), backup, None)


@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_a_byte_that_was_changed_is_found(backup: Path, where: float) -> None:
    data = bytearray(backup.read_bytes())
    data[int(len(data) * where)] ^= 0xFF
    backup.write_bytes(data)
    with pytest.raises(BackupError, match="is damaged"):
        checked(backup)


def test_only_an_empty_home_and_an_empty_database_are_restored_into(
    filled: Place, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETICK_DATABASE_URL", filled.url)
    with pytest.raises(BackupError, match=r"/home is not empty \(it has .*\): set FORETICK_HOME to an empty folder"):
        restore(filled.settings, backup, None)
    (tmp_path / "other" / "uv").mkdir(parents=True)  # what ./foretick keeps there
    with pytest.raises(BackupError, match=r"is not empty \(it has .*\): restore into an empty database"):
        restore(Settings(home=tmp_path / "other"), backup, None)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["uv"]


def test_there_may_be_none(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="there is no such file or folder"):
        checked(tmp_path / "none")
    with pytest.raises(BackupError, match=r"has no backup: they are called foretick-….zip"):
        checked(tmp_path)
